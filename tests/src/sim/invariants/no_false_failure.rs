//! Nobody fails who had no fault, in the view of anybody who had none.

use super::super::core::Kind;
use super::{Invariant, Seen};

pub(crate) struct NoFalseFailure;

impl Invariant for NoFalseFailure {
    fn name(&self) -> &'static str {
        "no false failure without a fault"
    }

    fn seen(&mut self, seen: &Seen) -> Result<(), String> {
        if seen.change.kind == Kind::Failed && seen.lives && seen.excuse.is_none() {
            return Err(format!("{} holds {} to be failed, which runs", seen.observer, seen.change.node));
        }
        Ok(())
    }
}
