//! Nobody reports a split where there is none.

use super::{End, Invariant};

pub(crate) struct NoFalsePartition;

impl Invariant for NoFalsePartition {
    fn name(&self) -> &'static str {
        "no split is reported where there is none"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.parted.false_partitions {
            0 => Ok(()),
            times => Err(format!("{times} reports")),
        }
    }
}
