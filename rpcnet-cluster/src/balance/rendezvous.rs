//! Where a request id points to: the same worker for every client that knows the same workers.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use uuid::Uuid;

use super::Candidate;

/// The index of the candidate that a request id points to, out of at least one.
///
/// Highest random weight: every client computes the same order without talking to another, and a worker that comes or
/// goes moves only the ids that point to it. The weight is taken over id and generation: the record of a request lives
/// in one process, and the process that was restarted in its place does not have it.
///
/// Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998. The hash is SipHash-1-3 with a
/// key of zeros, the same in every process; it defends nothing.
pub(crate) fn rendezvous(request_id: Uuid, candidates: &[Candidate<'_>]) -> usize {
    let weight = |candidate: &Candidate<'_>| {
        let mut hasher = SipHasher13::new();
        hasher.write(request_id.as_bytes());
        hasher.write(candidate.instance.id.as_uuid().as_bytes());
        hasher.write(&candidate.instance.generation.0.to_le_bytes());
        hasher.finish()
    };
    let heaviest = (0..candidates.len()).max_by_key(|index| weight(&candidates[*index]));
    heaviest.expect("a worker is chosen only when there is a candidate")
}
