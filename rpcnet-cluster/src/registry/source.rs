//! Where a registry's picture comes from.

use std::{
    future::poll_fn,
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

    /// What was handed out so far is in the registry's picture.
    fn handle_taken_in(&mut self) {}

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
    let mut batch = Vec::new();
    take_ready(source, &mut batch, &mut Context::from_waker(Waker::noop()));
    batch
}

/// Puts the events that have come into the batch, at least one; `false` when there will be no more.
///
/// All that is ready is taken at once: a view that is told again after a lag, or the crowd of a starting cluster, becomes
/// one change of the picture. Dropping the future loses no event: those that were taken are in the batch.
pub(super) async fn next_batch(source: &mut impl Source, batch: &mut Vec<ClusterEvent>) -> bool {
    let Some(first) = source.recv().await else { return false };
    batch.push(first);
    poll_fn(|cx| {
        take_ready(source, batch, cx);
        Poll::Ready(())
    })
    .await;
    true
}

fn take_ready(source: &mut impl Source, batch: &mut Vec<ClusterEvent>, cx: &mut Context<'_>) {
    while batch.len() < BATCH_MAX {
        // Without a share of the scheduler's budget: when that is used up, what is ready says that it is not, and the
        // batch would end in the middle of a view.
        match pin!(tokio::task::unconstrained(source.recv())).poll(cx) {
            Poll::Ready(Some(event)) => batch.push(event),
            Poll::Ready(None) | Poll::Pending => return,
        }
    }
}

/// The most events in a batch: the largest view, and an end to a source that never pauses.
const BATCH_MAX: usize = 16_384;
