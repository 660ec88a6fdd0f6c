//! Each with the same chance.

use super::{Candidate, Pick, Strategy};

/// Each worker with the same chance, whatever came before.
#[derive(Debug)]
pub(super) struct Random;

impl Strategy for Random {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        pick.below(candidates.len())
    }
}
