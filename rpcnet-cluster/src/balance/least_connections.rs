//! The least busy, as far as this process knows.

use super::{Candidate, Pick, Strategy, round_robin::Turn};

/// The worker with the fewest calls in flight; equals take turns, or an idle cluster would send everything to one.
///
/// A failure counts as a call in flight for five seconds: by its calls alone, whoever fails them at once is never busy.
///
/// Looks at every candidate. Sampling two of them is nearly as good and cheaper for hundreds of workers (Mitzenmacher,
/// "The Power of Two Choices in Randomized Load Balancing", 2001), but with few workers it often misses the idle one.
#[derive(Debug, Default)]
pub(super) struct LeastConnections {
    turn: Turn,
}

impl Strategy for LeastConnections {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        // Read once: the numbers change while others call.
        let busy: Vec<u32> = candidates.iter().map(Candidate::busy).collect();
        let least = busy.iter().min().copied();
        self.turn.next(candidates, pick, |place| Some(busy[place]) == least)
    }
}
