//! Folding the changes that a process reports gives the list that it holds.

use super::{End, Invariant};

pub(crate) struct Folds;

impl Invariant for Folds {
    fn name(&self) -> &'static str {
        "the events fold to the view"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.misfold {
            Some((observer, node)) => {
                Err(format!("{observer} reported something else of {node} than it holds"))
            }
            None => Ok(()),
        }
    }
}
