//! What a node was told, and when.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{ClusterEvent, ClusterMembership};

/// An event that a node was told.
///
/// ```
/// use rpcnet_cluster::{ClusterEvent, testkit::TestCluster};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let cluster = TestCluster::new(7);
/// let node = cluster.node("a").start().await;
/// cluster.node("b").start().await;
/// cluster.converged().await;
/// let joined = node.told().into_iter().filter(|told| matches!(told.event, ClusterEvent::NodeJoined(_)));
/// println!("{:?}", joined.map(|told| told.after).collect::<Vec<_>>());
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// When, from the start of the node.
    pub after: Duration,
    /// What.
    pub event: ClusterEvent,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct History(Arc<Mutex<Vec<Told>>>);

impl History {
    /// What a node is told from now on, until it ends.
    pub(super) fn of(membership: &ClusterMembership) -> Self {
        let (history, begin) = (Self::default(), Instant::now());
        let (mut events, told) = (membership.subscribe(), history.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                told.0.lock().push(Told { after: begin.elapsed(), event });
            }
        });
        history
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.0.lock().clone()
    }
}
