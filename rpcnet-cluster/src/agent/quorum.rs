//! What a program asks of its side of the network: may it write, who leads, whom does it reach.

use rpcnet::layer::AuthorizeLayer;
use rpcnet::{Executed, Idempotency, Reason, Status};
use tokio::sync::watch;

use super::ClusterMembership;
use super::handle::Command;
use crate::membership::{Node, NodeId};
use crate::partition::Quorum;

impl ClusterMembership {
    /// Whether this node is on a side that may go on as the cluster, and every change of that. What was last known, if the
    /// node has left.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let cluster = rpcnet_cluster::ClusterMembership::builder().join().await.expect("a free port");
    /// let mut quorum = cluster.quorum();
    /// // Nobody holds it in his first five seconds.
    /// assert!(cluster.require_quorum().is_err());
    /// quorum.wait_for(|quorum| quorum.held).await.expect("the node runs");
    /// assert!(cluster.require_quorum().is_ok());
    /// # }
    /// ```
    pub fn quorum(&self) -> watch::Receiver<Quorum> {
        self.inner.published.quorum()
    }

    /// `Ok` while the quorum is held: the one line at the beginning of what writes.
    ///
    /// # Errors
    ///
    /// `FailedPrecondition` for [`Reason::QuorumLost`], with how many are in reach and how many are needed. Nothing ran, and
    /// sending it again here is of no use before the split is healed.
    pub fn require_quorum(&self) -> Result<(), Status> {
        require(*self.inner.published.quorum().borrow())
    }

    /// A layer for a server: methods that are not `#[rpc(read)]` are refused as by [`require_quorum`](Self::require_quorum)
    /// while the quorum is lost, before anything of a call is decoded. It does not keep the node running.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let cluster = rpcnet_cluster::ClusterMembership::builder().join().await.expect("a free port");
    /// let server = rpcnet::Server::builder().layer(cluster.quorum_gate());
    /// # }
    /// ```
    pub fn quorum_gate(&self) -> AuthorizeLayer {
        let quorum = self.quorum();
        AuthorizeLayer::new(move |call| {
            let reads = call.descriptor().is_some_and(|method| method.idempotency == Idempotency::Read);
            if reads { Ok(()) } else { require(*quorum.borrow()) }
        })
    }

    /// The oldest node with this tag, `"role=writer"` or only `"writer"`, while this node holds the quorum and its view is that
    /// of two thirds of the nodes it observes; `None` otherwise, and if the node has left.
    ///
    /// Advisory: for some seconds after a split began, or while a node joins, two nodes may each hold another to be the
    /// leader. It is no lock.
    pub async fn leader(&self, tag: &str) -> Option<Node> {
        let (key, value) = tag.split_once('=').map_or((tag, None), |(key, value)| (key, Some(value)));
        let (key, value) = (key.trim().to_owned(), value.map(|value| value.trim().to_owned()));
        self.ask(|answer| Command::Leader { key, value, answer }).await.flatten()
    }

    /// Whether a node is a member and answers this one, as far as is known: not late, not failed, not reached only by
    /// others. A node reaches itself; `false` if this node has left.
    pub async fn can_reach(&self, node: NodeId) -> bool {
        self.ask(|answer| Command::CanReach { node, answer }).await.unwrap_or(false)
    }

    /// Whether as many as the quorum needs are in reach now, held again already or not.
    pub fn can_reach_majority(&self) -> bool {
        let quorum = *self.inner.published.quorum().borrow();
        quorum.needed > 0 && quorum.visible >= quorum.needed
    }

    /// Compares views with three random members, and asks all seeds, now. Membership does it by itself when it notices a
    /// difference; this is for a program that knows that there may be one.
    pub async fn resync(&self) {
        // An error says that the node has left: nobody is left to ask.
        let _ = self.inner.commands.send(Command::Resync).await;
    }
}

fn require(quorum: Quorum) -> Result<(), Status> {
    if quorum.held {
        return Ok(());
    }
    let Quorum { visible, needed, total, .. } = quorum;
    let message = if visible < needed {
        format!(
            "the quorum is lost: {visible} of {total} nodes are in reach and {needed} are needed; only reads are served"
        )
    } else {
        format!("the quorum of {needed} of {total} nodes is not held yet; only reads are served")
    };
    Err(Status::new(Reason::QuorumLost, Executed::No, message))
}
