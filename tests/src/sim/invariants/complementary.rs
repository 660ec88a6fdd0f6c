//! Where both sides of a split must report it, they report the same minority and the same majority.

use super::{End, Invariant};

pub(crate) struct Complementary;

impl Invariant for Complementary {
    fn name(&self) -> &'static str {
        "both sides report the same sides"
    }

    fn end(&mut self, end: &End) -> Result<(), String> {
        match end.parted.not_complementary {
            0 => Ok(()),
            times => Err(format!("{times} reports differ from one of the other side")),
        }
    }
}
