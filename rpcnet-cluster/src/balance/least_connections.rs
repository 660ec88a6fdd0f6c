//! The least busy, as far as this process knows.

use super::{Candidate, Strategy, round_robin::Turn};

/// The worker with the fewest calls in flight; equals take turns, or an idle cluster would send everything to one.
///
/// Looks at every candidate. Sampling two of them is nearly as good and cheaper for hundreds of workers (Mitzenmacher,
/// "The Power of Two Choices in Randomized Load Balancing", 2001), but with few workers it often misses the idle one.
#[derive(Debug, Default)]
pub(super) struct LeastConnections {
    turn: Turn,
}

impl Strategy for LeastConnections {
    fn pick(&mut self, candidates: &[Candidate], random: &mut fastrand::Rng) -> usize {
        let least = candidates.iter().map(|candidate| candidate.in_flight).min();
        self.turn.next(candidates, random, |candidate| Some(candidate.in_flight) == least)
    }
}
