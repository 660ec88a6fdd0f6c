//! What was dropped, and how often: nothing goes missing without a number.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::membership::{Malformed, Membership};

/// What a node's agent has received and what it had to drop, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Datagrams that arrived, good or bad.
    pub datagrams_received: u64,
    /// Datagrams that were no message of this protocol. They changed nothing.
    pub datagrams_malformed: u64,
    /// Datagrams of another cluster. They changed nothing.
    pub datagrams_other_cluster: u64,
    /// Datagrams that the socket did not take, or failed to receive.
    pub datagram_errors: u64,
    /// Stream requests and answers that were no message of this protocol or of another cluster.
    pub streams_malformed: u64,
    /// Hints of [`report_failure`](super::ClusterMembership::report_failure) dropped because too many waited.
    pub hints_dropped: u64,
    /// Records of new members refused because 32 768 are held, none of which has failed or left.
    pub records_refused: u64,
    /// Records refused because they are no newer than what was held of a member when it was forgotten.
    pub records_covered: u64,
}

/// The counters as they are counted.
#[derive(Debug, Default)]
pub(super) struct Counting {
    pub(super) datagrams_received: AtomicU64,
    pub(super) datagrams_malformed: AtomicU64,
    pub(super) datagrams_other_cluster: AtomicU64,
    pub(super) datagram_errors: AtomicU64,
    pub(super) streams_malformed: AtomicU64,
    pub(super) hints_dropped: AtomicU64,
    pub(super) records_refused: AtomicU64,
    pub(super) records_covered: AtomicU64,
}

impl Counting {
    pub(super) fn datagram(&self, result: Result<(), Malformed>) {
        count(&self.datagrams_received);
        match result {
            Ok(()) => {}
            Err(Malformed::OtherCluster) => count(&self.datagrams_other_cluster),
            Err(_) => count(&self.datagrams_malformed),
        }
    }

    /// What the state machine has counted itself.
    pub(super) fn take_over(&self, membership: &Membership) {
        self.records_refused.store(membership.refused_records(), Ordering::Relaxed);
        self.records_covered.store(membership.covered_records(), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            datagrams_received: read(&self.datagrams_received),
            datagrams_malformed: read(&self.datagrams_malformed),
            datagrams_other_cluster: read(&self.datagrams_other_cluster),
            datagram_errors: read(&self.datagram_errors),
            streams_malformed: read(&self.streams_malformed),
            hints_dropped: read(&self.hints_dropped),
            records_refused: read(&self.records_refused),
            records_covered: read(&self.records_covered),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
