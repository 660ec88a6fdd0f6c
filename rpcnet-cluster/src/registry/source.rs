//! Where a registry's picture comes from.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use crate::{
    agent::{ClusterMembership, Events},
    membership::{ClusterEvent, NodeId},
};

/// A cluster, as a registry sees it: a stream of events, and somebody to tell of trouble.
///
/// The registry needs no more than this, so it stands on gossip, on a script in a test, or on whatever else knows who is
/// there.
pub(crate) trait Source: Send + 'static {
    /// The next event; `None` when there will be no more. The first events tell of everybody who is there.
    ///
    /// Dropping the future loses no event.
    fn recv(&mut self) -> impl Future<Output = Option<ClusterEvent>> + Send;

    /// This process could not reach a node. A hint to look at it now, no verdict.
    fn report_failure(&mut self, node: NodeId);
}

/// A node's own view of its cluster. Keeps the node running.
#[derive(Debug)]
pub(super) struct Gossip {
    events: Events,
    cluster: ClusterMembership,
}

impl Gossip {
    pub(super) fn new(cluster: &ClusterMembership) -> Self {
        Self { events: cluster.subscribe(), cluster: cluster.clone() }
    }
}

impl Source for Gossip {
    async fn recv(&mut self) -> Option<ClusterEvent> {
        self.events.recv().await
    }

    fn report_failure(&mut self, node: NodeId) {
        self.cluster.report_failure(node);
    }
}

/// What has come already; nothing if that is nothing.
pub(super) fn ready_now(source: &mut impl Source) -> Vec<ClusterEvent> {
    match pin!(next_batch(source)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(batch) => batch.unwrap_or_default(),
        Poll::Pending => Vec::new(),
    }
}

/// The events that have come, at least one; `None` when there will be no more.
///
/// All that is ready is taken at once: a view that is told again after a lag, or the crowd of a starting cluster, becomes
/// one change of the picture. Dropping the future loses no event.
pub(super) async fn next_batch(source: &mut impl Source) -> Option<Vec<ClusterEvent>> {
    let mut batch = vec![source.recv().await?];
    while batch.len() < BATCH_MAX {
        let ready = tokio::select! {
            biased;
            // Without a share of the scheduler's budget: it would end the batch in the middle of a view.
            event = tokio::task::unconstrained(source.recv()) => event,
            () = std::future::ready(()) => None,
        };
        match ready {
            Some(event) => batch.push(event),
            None => break,
        }
    }
    Some(batch)
}

/// The most events in a batch: the largest view, and an end to a source that never pauses.
const BATCH_MAX: usize = 16_384;
