//! A new worker gets a growing part of its share.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::Candidate;

/// The candidates without some of those that are new, left out by chance; `None` if that is all of them.
///
/// A worker half as warm as the warmest is there for half of the calls, whatever strategy then chooses. Compared with each
/// other, not with a clock: where all are new, all are there, and a worker whose peers have gone gets everything.
///
/// With a key, chance is the key's: while a worker warms up, each of the keys that point to it moves once.
///
/// Envoy has the same for two of its strategies, as a factor of the weight
/// (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start>).
pub(super) fn thinned<'a>(
    candidates: &[Candidate<'a>],
    key: Option<u64>,
    random: &mut fastrand::Rng,
) -> Option<Vec<Candidate<'a>>> {
    let warmth = |candidate: &Candidate<'_>| candidate.gauge.warmth(candidate.now);
    if candidates.iter().all(|candidate| warmth(candidate) >= 1.0) {
        return None;
    }
    let warmest = candidates.iter().map(warmth).fold(0.0, f64::max);
    let is_there = |candidate: &&Candidate<'_>| {
        let part = warmth(candidate) / warmest;
        part >= 1.0 || part > key.map_or_else(|| random.f64(), |key| chance(key, candidate))
    };
    Some(candidates.iter().filter(is_there).copied().collect())
}

/// A number in `0.0..1.0` that belongs to a key and a worker.
fn chance(key: u64, candidate: &Candidate<'_>) -> f64 {
    let mut hasher = SipHasher13::new();
    hasher.write(b"slow start");
    hasher.write_u64(key.to_le());
    hasher.write(candidate.id().as_uuid().as_bytes());
    // The upper 53 bits are what fits into the fraction.
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}
