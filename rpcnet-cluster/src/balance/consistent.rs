//! The same worker for the same key, unless it is too busy.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::{Candidate, Pick, Strategy, peak_ewma::PeakEwma};

/// The worker that the call's key points to, if it carries at most a quarter more than its even share of the calls in flight;
/// otherwise the next in the key's order. A failure counts as a call in flight, so that a worker that fails loses its keys for a
/// while. Calls without a key go where [`PeakEwma`] sends them.
///
/// The order is that of the highest random weight over the node's id: a worker that comes or goes moves only the keys that
/// point to it, and one that is restarted keeps its own. Sources: Thaler and Ravishankar, "Using Name-Based Mappings to
/// Increase Hit Rates", 1998; Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016.
#[derive(Debug, Default)]
pub(super) struct Consistent {
    keyless: PeakEwma,
}

impl Consistent {
    /// How much more than an even share one worker may carry. The bound of the paper, which at 1 + 1/4 costs a key a second
    /// worker seldom, and a popular key cannot drown one.
    const BOUND: f64 = 1.25;
}

impl Strategy for Consistent {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        let Some(key) = pick.key() else { return self.keyless.pick(candidates, pick) };
        let busy: Vec<u32> = candidates.iter().map(Candidate::busy).collect();
        let total = busy.iter().map(|calls| f64::from(*calls)).sum::<f64>() + 1.0;
        let bound = libm::ceil(Self::BOUND * total / candidates.len() as f64);
        let has_room = |place: &usize| f64::from(busy[*place]) < bound;
        let heaviest =
            (0..candidates.len()).filter(has_room).max_by_key(|place| weight(key, &candidates[*place]));
        heaviest.expect("not all can be above the mean")
    }
}

/// Where a worker stands in the order of a key.
fn weight(key: u64, candidate: &Candidate<'_>) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64(key.to_le());
    hasher.write(candidate.id().as_uuid().as_bytes());
    hasher.finish()
}
