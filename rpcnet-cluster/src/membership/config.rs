//! Who this node is, and the few things a user may tune.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::limits::{GOSSIP_BYTES_PER_SECOND, SUSPICION_MIN};
use super::record::{Profile, Record, Standing};
use super::tags::{TagError, Tags, check_label};
use super::{Generation, Incarnation, NodeId};
use crate::partition::QuorumRule;

/// What a node says about itself when it starts.
#[derive(Clone, Debug)]
pub struct Identity {
    id: NodeId,
    generation: Generation,
    profile: Profile,
    tags: Tags,
}

impl Identity {
    /// A node without label, RPC service, capacity and tags, gossiping at `addr`.
    ///
    /// `addr` is what others send to: a wildcard address makes a node that nobody reaches.
    pub fn new(id: NodeId, generation: Generation, addr: SocketAddr) -> Self {
        let profile = Profile { addr, rpc_addr: None, label: Arc::from(""), capacity: 0 };
        Self { id, generation, profile, tags: Tags::default() }
    }

    /// Where its RPC service listens.
    #[must_use]
    pub fn rpc_addr(mut self, addr: SocketAddr) -> Self {
        self.profile.rpc_addr = Some(addr);
        self
    }

    /// How many calls it wants to carry at once; 0 says nothing.
    #[must_use]
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.profile.capacity = capacity;
        self
    }

    /// A name for people.
    ///
    /// # Errors
    /// If it is longer than 64 bytes.
    pub fn label(mut self, label: &str) -> Result<Self, TagError> {
        check_label(label)?;
        self.profile.label = label.into();
        Ok(self)
    }

    /// One tag.
    ///
    /// # Errors
    /// If the key is empty, or the tags would not fit a gossip datagram.
    pub fn tag(mut self, key: &str, value: &str) -> Result<Self, TagError> {
        self.tags.set(key, value)?;
        Ok(self)
    }

    /// The node's id.
    pub fn id(&self) -> NodeId {
        self.id
    }

    pub(crate) fn into_record(self) -> Record {
        Record {
            id: self.id,
            generation: self.generation,
            standing: Standing::alive(Incarnation::default()),
            profile: self.profile,
            tags: self.tags,
        }
    }
}

/// The protocol's settings. Every value that can be set is clamped to a range in which the protocol works.
///
/// ```
/// use rpcnet_cluster::membership::Config;
/// let config = Config::new("billing").phi_threshold(10.0);
/// assert_eq!(config.cluster_name(), "billing");
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) cluster: String,
    pub(crate) heartbeat: Duration,
    pub(crate) phi_threshold: f64,
    pub(crate) acceptable_pause: Duration,
    pub(crate) suspicion_min: Duration,
    pub(crate) gossip_bytes_per_second: usize,
    pub(crate) quorum: QuorumRule,
    pub(crate) partition_threshold: f64,
    pub(crate) reconciles: bool,
}

impl Config {
    /// The defaults, for the cluster of this name. Packets of other names change nothing.
    pub fn new(cluster_name: impl Into<String>) -> Self {
        Self {
            cluster: cluster_name.into(),
            heartbeat: Duration::from_secs(1),
            phi_threshold: 8.0,
            acceptable_pause: Duration::from_millis(1_500),
            suspicion_min: SUSPICION_MIN,
            gossip_bytes_per_second: GOSSIP_BYTES_PER_SECOND,
            quorum: QuorumRule::default(),
            partition_threshold: 0.1,
            reconciles: false,
        }
    }

    pub(crate) fn renamed(mut self, cluster_name: impl Into<String>) -> Self {
        self.cluster = cluster_name.into();
        self
    }

    /// The name that keeps clusters apart.
    pub fn cluster_name(&self) -> &str {
        &self.cluster
    }

    /// The φ at which an observer accuses, 1 to 16; default 8, one wrong accusation in 10⁸ probes of a Gaussian
    /// network. Akka's logistic form and Cassandra's exponential one mean other things by the same number.
    #[must_use]
    pub fn phi_threshold(mut self, phi: f64) -> Self {
        self.phi_threshold = if phi.is_finite() { phi.clamp(1.0, 16.0) } else { 8.0 };
        self
    }

    /// How long a node may stop without being accused, 0 to 60 s; default 1.5 s, a long garbage collection. Detection
    /// takes longer by as much.
    #[must_use]
    pub fn acceptable_pause(mut self, pause: Duration) -> Self {
        self.acceptable_pause = pause.min(Duration::from_secs(60));
        self
    }

    /// The least time an accused node has to refute, 1 to 60 s; default 3 s.
    #[must_use]
    pub fn suspicion_min(mut self, wait: Duration) -> Self {
        self.suspicion_min = wait.clamp(Duration::from_secs(1), Duration::from_secs(60));
        self
    }

    /// What gossip rounds may send, in bytes a second, at least 4 800; default 24 000. Only reached while many
    /// members change at once; probes and answers are not counted.
    #[must_use]
    pub fn gossip_bytes_per_second(mut self, bytes: usize) -> Self {
        self.gossip_bytes_per_second = bytes.max(4_800);
        self
    }

    /// Which side of a split may go on as the cluster; default [`QuorumRule::Majority`]. All nodes must have the same.
    #[must_use]
    pub fn quorum(mut self, rule: QuorumRule) -> Self {
        self.quorum = rule;
        self
    }

    /// The share of the cluster whose silence at one moment is reported as a split, 0.01 to 0.5; default 0.1. Never fewer
    /// than two nodes, and the loss of half always. Lower, and a rack that loses power looks like a split more often;
    /// higher, and a side that loses few sees single failures only. The quorum does not depend on it.
    #[must_use]
    pub fn partition_threshold(mut self, share: f64) -> Self {
        self.partition_threshold = if share.is_finite() { share.clamp(0.01, 0.5) } else { 0.1 };
        self
    }

    /// After a split, [`ClusterEvent::PartitionHealed`](super::ClusterEvent::PartitionHealed) waits for
    /// [`Membership::reconciled`](super::Membership::reconciled); default no.
    #[must_use]
    pub fn reconciles(mut self, reconciles: bool) -> Self {
        self.reconciles = reconciles;
        self
    }
}
