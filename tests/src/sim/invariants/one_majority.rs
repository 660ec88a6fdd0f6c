//! Of the sides of a split at most one holds the quorum, from ten seconds after the network was cut.

use super::{End, Invariant};

pub(crate) struct OneMajority;

impl Invariant for OneMajority {
    fn name(&self) -> &'static str {
        "at most one side of a split holds the quorum"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.parted.two_majorities {
            0 => Ok(()),
            times => Err(format!("two sides held the quorum for {times} s")),
        }
    }
}
