//! What a program holds of its node.

use std::net::SocketAddr;
use std::sync::Arc;

use rpcnet::transport::{BoxFuture, Transport};
use tokio::sync::{mpsc, oneshot, watch};

use super::counters::{Counting, count};
use super::published::Published;
use super::{ClusterMembershipBuilder, Counters, Events};
use crate::membership::{MemberView, Node, NodeId, TagError};

/// A node of a cluster: who is there, who is well, and what this node says of itself.
///
/// Cheap to clone; clones are the same node. When the last is dropped the node stops without a farewell, and the others
/// find it gone within two seconds; [`leave`](Self::leave) says it at once.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), rpcnet_cluster::JoinError> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let first = ClusterMembership::builder().bind("127.0.0.1:0").label("first").join().await?;
/// let second =
///     ClusterMembership::builder().seeds([first.local_addr()]).tag("role", "worker").join().await?;
/// second.joined().await;
/// assert_eq!(second.visible_nodes().await.len(), 2);
/// second.leave().await;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "the node stops when its last handle is dropped"]
pub struct ClusterMembership {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) id: NodeId,
    pub(super) addr: SocketAddr,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) published: Arc<Published>,
    pub(super) counting: Arc<Counting>,
    pub(super) joined: watch::Receiver<bool>,
    pub(super) transport: Arc<dyn Transport>,
}

/// What an application does about what both sides of a split wrote; given those who are back.
pub(super) type Reconcile = Arc<dyn Fn(Vec<NodeId>) -> BoxFuture<'static, ()> + Send + Sync>;

/// Something asked of the driver.
#[derive(Debug)]
pub(super) enum Command {
    SetTag { key: String, value: String, done: oneshot::Sender<Result<(), TagError>> },
    RemoveTag { key: String, done: oneshot::Sender<bool> },
    Members { answer: oneshot::Sender<Vec<MemberView>> },
    Leader { key: String, value: Option<String>, answer: oneshot::Sender<Option<Node>> },
    CanReach { node: NodeId, answer: oneshot::Sender<bool> },
    Resync,
    ReportFailure { node: NodeId },
    Leave { done: oneshot::Sender<()> },
}

impl ClusterMembership {
    /// Settings for a node.
    pub fn builder() -> ClusterMembershipBuilder {
        ClusterMembershipBuilder::new()
    }

    /// This node's id.
    pub fn local_node_id(&self) -> NodeId {
        self.inner.id
    }

    /// Where this node gossips, with the port the system chose: what others put into their seeds.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.addr
    }

    /// The nodes that are there, alive or suspect, this one included, ordered by id.
    ///
    /// What was last known, if the node has left.
    pub async fn visible_nodes(&self) -> Vec<Node> {
        self.inner.published.view()
    }

    /// One line a member for an operator's table: state, φ, and how long until it is accused. Failed and left members
    /// are included while they are remembered. Empty if the node has left.
    pub async fn members(&self) -> Vec<MemberView> {
        self.ask(|answer| Command::Members { answer }).await.unwrap_or_default()
    }

    /// Follows the changes of the view, beginning with the nodes that are there.
    pub fn subscribe(&self) -> Events {
        Events::new(Arc::clone(&self.inner.published))
    }

    /// Sets a tag of this node; the cluster hears of it within a second.
    ///
    /// # Errors
    ///
    /// If the tags would be too large for a datagram, or the node has left.
    pub async fn set_tag(&self, key: impl Into<String>, value: impl Into<String>) -> Result<(), TagError> {
        let (key, value) = (key.into(), value.into());
        let result = self.ask(|done| Command::SetTag { key, value, done }).await;
        result.unwrap_or(Err(TagError::NotRunning))
    }

    /// Removes a tag of this node; `false` if there was none, or the node has left.
    pub async fn remove_tag(&self, key: impl Into<String>) -> bool {
        let key = key.into();
        self.ask(|done| Command::RemoveTag { key, done }).await.unwrap_or(false)
    }

    /// A hint that a node does not answer calls: it is probed at once. Convicts nobody; dropped, and counted, if too many
    /// hints wait.
    pub fn report_failure(&self, node: NodeId) {
        if self.inner.commands.try_send(Command::ReportFailure { node }).is_err() {
            count(&self.inner.counting.hints_dropped);
        }
    }

    /// Waits until this node is not alone: a seed has answered, or another node has found it. Returns at once for a node
    /// without seeds or with none but itself, and when the node leaves.
    pub async fn joined(&self) {
        let mut joined = self.inner.joined.clone();
        // An error says that the driver has ended: nothing to wait for.
        let _ = joined.wait_for(|joined| *joined).await;
    }

    /// Whether this node is not alone, or alone by intention: what [`joined`](Self::joined) waits for.
    pub(crate) fn is_joined(&self) -> watch::Receiver<bool> {
        self.inner.joined.clone()
    }

    /// Says farewell and waits until it was heard, at most about three seconds. The node is gone afterwards, for all
    /// its handles.
    pub async fn leave(&self) {
        let _ = self.ask(|done| Command::Leave { done }).await;
    }

    /// What was received and what had to be dropped.
    pub fn counters(&self) -> Counters {
        self.inner.counting.snapshot()
    }

    /// What carries calls to the nodes of this cluster.
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.inner.transport)
    }

    /// The driver's answer; `None` when it has ended.
    pub(super) async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.inner.commands.send(command(sender)).await.ok()?;
        answer.await.ok()
    }
}
