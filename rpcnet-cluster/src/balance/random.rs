//! Each with the same chance.

use super::{Candidate, Strategy};

/// Each worker with the same chance, whatever came before.
#[derive(Debug)]
pub(super) struct Random;

impl Strategy for Random {
    fn pick(&mut self, candidates: &[Candidate], random: &mut fastrand::Rng) -> usize {
        random.usize(..candidates.len())
    }
}
