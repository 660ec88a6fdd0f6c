//! Each in turn.

use super::{Candidate, Pick, Strategy};
use crate::registry::Instance;

/// Each worker in turn, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    turn: Turn,
}

impl Strategy for RoundRobin {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        self.turn.next(candidates, pick, |_| true)
    }
}

/// Whose turn it was.
///
/// It remembers the worker and not a count: a count modulo the number of candidates goes astray as soon as that number
/// changes from call to call, which repeated calls make it do. The worker that answers for a failed one would then be
/// chosen by an accident of arithmetic, and always be the same.
///
/// The first turn is anybody's: clients that begin together, or are made for a call each, must not all begin with the
/// same worker.
#[derive(Debug, Default)]
pub(super) struct Turn {
    last: Option<Instance>,
}

impl Turn {
    /// The place of the first eligible candidate after the last one chosen, beginning again after the end.
    ///
    /// At least one candidate must be eligible.
    pub(super) fn next(
        &mut self,
        candidates: &[Candidate<'_>],
        pick: &mut Pick<'_>,
        eligible: impl Fn(usize) -> bool,
    ) -> usize {
        let count = candidates.len();
        let first = match self.last {
            Some(last) => candidates.iter().position(|candidate| candidate.instance > last).unwrap_or(0),
            None => pick.below(count),
        };
        let mut in_turn = (first..count).chain(0..first);
        let chosen = in_turn.find(|place| eligible(*place));
        let chosen = chosen.expect("a strategy is asked only when there is a candidate");
        self.last = Some(candidates[chosen].instance);
        chosen
    }
}
