//! What a user of the cluster sees: nodes, their states, and the changes of both.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Generation, Incarnation, NodeId};

/// One process of the cluster, as its owner describes it. Cheap to clone: texts and tags are shared.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let node = ClusterMembership::builder().label("worker-1").tag("role", "worker").join().await?;
/// let me = &node.visible_nodes().await[0];
/// assert_eq!((&*me.label, &*me.tags["role"]), ("worker-1", "worker"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Its id, kept across restarts if the operator keeps it.
    pub id: NodeId,
    /// A name for people; may be empty, need not be unique.
    pub label: Arc<str>,
    /// Where it gossips: one port number for datagrams and streams.
    pub addr: SocketAddr,
    /// Where its RPC service listens; `None` for a node that serves none.
    pub rpc_addr: Option<SocketAddr>,
    /// How many calls it wants to carry at once; 0 when its owner said nothing.
    pub capacity: u32,
    /// What its owner says about it, such as `role=worker`.
    pub tags: Arc<BTreeMap<String, String>>,
    /// Which start of the process this is.
    pub generation: Generation,
    /// How often it has spoken for itself since that start: refuted an accusation, or said that it is degraded or no more.
    pub incarnation: Incarnation,
    /// Its own word that it is unwell: three times within five minutes it refuted an accusation or did not run for over two
    /// seconds, and the last minute was not free of that. It is a member as any other; calls go elsewhere while they can.
    pub degraded: bool,
}

impl Node {
    /// The value of one tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }
}

/// What is held of a node. The order is the precedence of SWIM §4.2: at one incarnation the later word wins.
///
/// ```
/// use rpcnet_cluster::NodeState;
///
/// // At one incarnation the graver word counts.
/// assert!(NodeState::Suspect > NodeState::Alive && NodeState::Failed > NodeState::Suspect);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// Nobody accuses it.
    Alive,
    /// Accused, and not yet refuted. Still a member.
    Suspect,
    /// Accused by two observers and not refuted in time. Only its owner brings it back.
    Failed,
    /// It said farewell.
    Left,
}

impl NodeState {
    /// Whether a node in this state belongs to the view (alive or suspect).
    pub const fn is_visible(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }
}

/// A change of the view. Folding the events from the beginning gives the view.
/// ```
/// use rpcnet_cluster::{ClusterEvent, ClusterMembership};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), rpcnet_cluster::JoinError> {
/// let first = ClusterMembership::builder().join().await?;
/// let mut events = first.subscribe();
/// let second = ClusterMembership::builder().seeds([first.local_addr()]).label("second").join().await?;
/// while let Some(event) = events.recv().await {
///     match event {
///         ClusterEvent::NodeJoined(node) if node.id == second.local_node_id() => break,
///         // There will be more kinds of event.
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// A node is new here, or came back as a new process (a higher [`Generation`]).
    NodeJoined(Node),
    /// A node said farewell.
    NodeLeft(Node),
    /// Somebody accuses a node. It is still a member, and may refute.
    NodeSuspected {
        /// The accused.
        node: Node,
        /// φ as measured *here*; 0 when this node does not observe the accused.
        phi: f64,
    },
    /// A node is gone: two observers say so, or its process was replaced by a newer one.
    /// Emitted once for each (id, generation, incarnation).
    NodeFailed(Node),
    /// A suspected or failed node has refuted; it is the same process as before. Whether it is
    /// [`degraded`](Node::degraded) is told with it.
    NodeRecovered(Node),
    /// The owner changed what it says of itself: its tags, or whether it is [`degraded`](Node::degraded).
    TagsChanged(Node),
    /// The network is split: many members fell silent at once, and it is not known that they crashed. Told on each side
    /// that lost at least two nodes and a tenth (see [`Config::partition_threshold`](super::Config::partition_threshold)),
    /// or half. A tenth of the hosts losing power in one second cannot be told from it.
    PartitionDetected {
        /// The side that does not go on as the cluster. Both sides may be such: where nobody has a majority, each node
        /// finds its own side here.
        minority: Vec<NodeId>,
        /// The others, who may go on as the cluster.
        majority: Vec<NodeId>,
    },
    /// A split that was told of has other sides now: more are gone, or some are back and others are not.
    PartitionChanged {
        /// As in [`PartitionDetected`](Self::PartitionDetected).
        minority: Vec<NodeId>,
        /// As in [`PartitionDetected`](Self::PartitionDetected).
        majority: Vec<NodeId>,
    },
    /// A split is over as far as membership is concerned: nine tenths of the other side are back, and the views agree. What
    /// the application holds is reconciled now, if it said how; then [`PartitionHealed`](Self::PartitionHealed) follows.
    ViewsMerged {
        /// Members that were out of reach, and are back.
        rejoined: Vec<NodeId>,
        /// Members that were out of reach, and still are.
        missing: Vec<NodeId>,
    },
    /// A split is over. A node that was in the minority holds the quorum from here on, unless it is lost for another reason.
    PartitionHealed {
        /// Members that were out of reach, and are back.
        rejoined: Vec<NodeId>,
        /// Members that were out of reach, and still are: they count no more.
        missing: Vec<NodeId>,
        /// Since the first of them was accused.
        duration: Duration,
    },
    /// Many members are gone at once, and their hosts say that the processes are: crashes, not a split. Each was told of
    /// by a [`NodeFailed`](Self::NodeFailed) before.
    MassFailure {
        /// Who.
        nodes: Vec<NodeId>,
    },
    /// This reader was too slow and lost events. The whole view follows as `NodeJoined` events: forget what was
    /// folded so far.
    Lagged {
        /// How many events were not delivered.
        dropped: u64,
    },
}

/// One line of an operator's table: a member and how well it is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let node = ClusterMembership::builder().join().await?;
/// for member in node.members().await {
///     println!("{} {:?} phi {:.1}", member.node.label, member.state, member.phi);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemberView {
    /// The member.
    pub node: Node,
    /// What is held of it.
    pub state: NodeState,
    /// Whether this node observes it; without, `phi` is 0 and `deadline` is `None`.
    pub observed: bool,
    /// φ over probe round trips: 0 while every probe is answered.
    pub phi: f64,
    /// How long until φ reaches the threshold if nothing is heard; zero when it has. `None` while no probe is
    /// unanswered.
    pub deadline: Option<Duration>,
    /// The mean round trip of the last probes; `None` before the first answer.
    pub round_trip: Option<Duration>,
    /// It answers others but not this node: a local fact, nobody is accused.
    pub link_down: bool,
}
