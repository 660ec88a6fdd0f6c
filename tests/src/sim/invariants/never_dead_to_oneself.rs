//! Nobody is failed in its own view while it runs.

use super::super::core::Kind;
use super::{Invariant, Seen};

pub(crate) struct NeverDeadToOneself;

impl Invariant for NeverDeadToOneself {
    fn name(&self) -> &'static str {
        "nobody is failed in its own view"
    }

    fn seen(&mut self, seen: &Seen) -> Result<(), String> {
        if seen.change.kind == Kind::Failed && seen.change.node == seen.observer {
            return Err(format!("{} holds itself to be failed", seen.observer));
        }
        Ok(())
    }
}
