//! The cluster's events, told on after the registry has taken them in.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use super::picture::Snapshot;
use crate::membership::ClusterEvent;

/// How many events wait for a subscriber before it loses some and is told the whole view instead.
const EVENTS_MAX: usize = 1024;

/// The cluster's events, from a [`WorkerRegistry`](super::WorkerRegistry).
///
/// An event is handed out after the registry has taken it in: whoever hears of a failed node does not find it among the
/// workers any more. The first events tell of the nodes there were at the time of the subscription, one
/// [`NodeJoined`](ClusterEvent::NodeJoined) each.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterEvent, ClusterMembership, LoadBalancing, WorkerRegistry};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
/// let mut events = registry.subscribe();
/// assert!(matches!(events.recv().await, Some(ClusterEvent::NodeJoined(_))));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RegistryEvents {
    receiver: broadcast::Receiver<ClusterEvent>,
    /// What is handed out before the next event.
    view: VecDeque<ClusterEvent>,
    published: Published,
}

/// What a registry publishes, for its readers.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    events: broadcast::WeakSender<ClusterEvent>,
    /// Held while a snapshot and its events go out, and while a subscriber takes its place among them. Nobody who
    /// only reads the picture takes it.
    order: Arc<Mutex<()>>,
}

/// The writing end.
#[derive(Debug)]
pub(super) struct Publisher {
    snapshots: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<ClusterEvent>,
    order: Arc<Mutex<()>>,
}

/// The two ends of what a registry publishes: nobody is there at first.
pub(super) fn publisher() -> (Publisher, Published) {
    let (snapshots, reader) = watch::channel(Arc::default());
    let (events, _) = broadcast::channel(EVENTS_MAX);
    let order = Arc::new(Mutex::new(()));
    let published = Published { snapshots: reader, events: events.downgrade(), order: Arc::clone(&order) };
    (Publisher { snapshots, events, order }, published)
}

impl Publisher {
    /// Publishes a snapshot, then the events that led to it.
    pub(super) fn publish(&self, snapshot: Snapshot, events: Vec<ClusterEvent>) {
        let _order = self.order.lock();
        self.snapshots.send_replace(Arc::new(snapshot));
        for event in events {
            // An error says that nobody has subscribed.
            let _ = self.events.send(event);
        }
    }

    /// Waits until nobody reads any more.
    pub(super) async fn unread(&self) {
        self.snapshots.closed().await;
    }
}

impl Published {
    pub(super) fn subscribe(&self) -> RegistryEvents {
        let _order = self.order.lock();
        let receiver = match self.events.upgrade() {
            Some(events) => events.subscribe(),
            // The source has ended: the last view, and no event after it.
            None => broadcast::channel(1).1,
        };
        let view = self.snapshots.borrow().told().collect();
        RegistryEvents { receiver, view, published: self.clone() }
    }
}

impl RegistryEvents {
    /// The next event; `None` when the registry's source has ended and everything was handed out.
    ///
    /// A subscriber that falls behind by more than 1024 events gets [`Lagged`](ClusterEvent::Lagged) and then the whole
    /// view. Dropping the future loses no event.
    pub async fn recv(&mut self) -> Option<ClusterEvent> {
        if let Some(event) = self.view.pop_front() {
            return Some(event);
        }
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(dropped)) => Some(self.catch_up(dropped)),
        }
    }

    /// Gives up what still waits, and begins again with the view of this moment.
    fn catch_up(&mut self, dropped: u64) -> ClusterEvent {
        let _order = self.published.order.lock();
        let dropped = dropped + self.receiver.len() as u64;
        self.receiver = self.receiver.resubscribe();
        self.view = self.published.snapshots.borrow().told().collect();
        ClusterEvent::Lagged { dropped }
    }
}
