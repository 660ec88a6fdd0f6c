//! Of the sides of one split at most one holds itself to be the majority.

use super::{End, Invariant};

pub(crate) struct OneMajority;

impl Invariant for OneMajority {
    fn name(&self) -> &'static str {
        "at most one side of a split is a majority"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.parted.two_majorities {
            0 => Ok(()),
            times => Err(format!("two sides were a majority, {times} reports")),
        }
    }
}
