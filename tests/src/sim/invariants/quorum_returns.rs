//! Once views are whole and have been for a while, every node holds the quorum again.

use super::{End, Invariant};

pub(crate) struct QuorumReturns;

impl Invariant for QuorumReturns {
    fn name(&self) -> &'static str {
        "in calm everybody holds the quorum"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.without_quorum {
            Some(node) if end.calm && end.gap.is_none() => {
                Err(format!("{node} lacks its quorum, though every view is whole"))
            }
            _ => Ok(()),
        }
    }
}
