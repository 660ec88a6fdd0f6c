//! What was dropped, and how often: nothing goes missing without a number.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::membership::{Membership, Unreadable};

/// What a node's agent has received and what it had to drop, since its start.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let node = ClusterMembership::builder().join().await?;
/// assert_eq!(node.counters().datagrams_unreadable.forged, 0);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Datagrams that arrived, good or bad.
    pub datagrams_received: u64,
    /// Of these, those that could not be read. They changed nothing.
    pub datagrams_unreadable: UnreadableCounts,
    /// Datagrams that the socket did not take, or failed to receive, or that could not be sealed.
    pub datagram_errors: u64,
    /// Hosts' words that nobody listens where a datagram went to (ICMP port unreachable, on Linux).
    pub ports_unreachable: u64,
    /// Streams, requests and answers that could not be read. They changed nothing.
    pub streams_unreadable: UnreadableCounts,
    /// Hints of [`report_failure`](super::ClusterMembership::report_failure) dropped because too many waited.
    pub hints_dropped: u64,
    /// Records of new members refused because 32 768 are held, none of which has failed or left.
    pub records_refused: u64,
    /// Records refused because they are no newer than what was held of a member when it was forgotten.
    pub records_covered: u64,
}

/// What could not be read, by what was wrong with it: one for each variant of [`Unreadable`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let node = ClusterMembership::builder().join().await?;
/// let unreadable = node.counters().datagrams_unreadable;
/// if unreadable.unknown_key > 0 {
///     println!("somebody seals with a key that this node does not hold");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableCounts {
    /// In plain text, at a node with a keyring.
    pub plaintext: u64,
    /// Sealed, at a node without a keyring.
    pub sealed: u64,
    /// Sealed with a key that the keyring does not hold: somebody missed a step of a rotation.
    pub unknown_key: u64,
    /// Names a key of the keyring and does not open with it: changed or forged on the way.
    pub forged: u64,
    /// Of a cluster of another name.
    pub other_cluster: u64,
    /// Of a version that is not spoken here.
    pub version: u64,
    /// This node's own, sent back to it.
    pub own: u64,
    /// No message of the protocol.
    pub malformed: u64,
}

impl UnreadableCounts {
    /// All together.
    pub fn total(&self) -> u64 {
        let Self { plaintext, sealed, unknown_key, forged, other_cluster, version, own, malformed } = self;
        plaintext + sealed + unknown_key + forged + other_cluster + version + own + malformed
    }
}

/// The counters as they are counted.
#[derive(Debug, Default)]
pub(super) struct Counting {
    pub(super) datagrams_received: AtomicU64,
    pub(super) datagrams_unreadable: UnreadableCounting,
    pub(super) datagram_errors: AtomicU64,
    pub(super) ports_unreachable: AtomicU64,
    pub(super) streams_unreadable: UnreadableCounting,
    pub(super) hints_dropped: AtomicU64,
    pub(super) records_refused: AtomicU64,
    pub(super) records_covered: AtomicU64,
}

/// One counter for each reason, in the order of [`slot`].
#[derive(Debug, Default)]
pub(super) struct UnreadableCounting([AtomicU64; 8]);

fn slot(why: Unreadable) -> usize {
    match why {
        Unreadable::Plaintext => 0,
        Unreadable::Sealed => 1,
        Unreadable::UnknownKey => 2,
        Unreadable::Forged => 3,
        Unreadable::OtherCluster => 4,
        Unreadable::Version => 5,
        Unreadable::Own => 6,
        Unreadable::Malformed => 7,
    }
}

impl UnreadableCounting {
    pub(super) fn count(&self, why: Unreadable) {
        count(&self.0[slot(why)]);
    }

    fn snapshot(&self) -> UnreadableCounts {
        let read = |why| self.0[slot(why)].load(Ordering::Relaxed);
        UnreadableCounts {
            plaintext: read(Unreadable::Plaintext),
            sealed: read(Unreadable::Sealed),
            unknown_key: read(Unreadable::UnknownKey),
            forged: read(Unreadable::Forged),
            other_cluster: read(Unreadable::OtherCluster),
            version: read(Unreadable::Version),
            own: read(Unreadable::Own),
            malformed: read(Unreadable::Malformed),
        }
    }
}

impl Counting {
    /// What the state machine has counted itself.
    pub(super) fn take_over(&self, membership: &Membership) {
        self.records_refused.store(membership.refused_records(), Ordering::Relaxed);
        self.records_covered.store(membership.covered_records(), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            datagrams_received: read(&self.datagrams_received),
            datagrams_unreadable: self.datagrams_unreadable.snapshot(),
            datagram_errors: read(&self.datagram_errors),
            ports_unreachable: read(&self.ports_unreachable),
            streams_unreadable: self.streams_unreadable.snapshot(),
            hints_dropped: read(&self.hints_dropped),
            records_refused: read(&self.records_refused),
            records_covered: read(&self.records_covered),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
