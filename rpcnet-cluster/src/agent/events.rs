//! A subscription to the cluster's changes.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use super::published::Published;
use crate::membership::{ClusterEvent, Node};

/// The changes of the view, from [`ClusterMembership::subscribe`](super::ClusterMembership::subscribe).
///
/// It begins with a [`NodeJoined`](ClusterEvent::NodeJoined) for every node that is there, this one included, so that
/// folding the events gives the view. A reader more than 1 024 events behind gets
/// [`Lagged`](ClusterEvent::Lagged) and then the whole view again. It ends when the node leaves or its last handle is
/// dropped; it does not keep the node running.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterEvent, ClusterMembership};
///
/// let node = ClusterMembership::builder().label("a").join().await?;
/// let mut events = node.subscribe();
/// let Some(ClusterEvent::NodeJoined(first)) = events.recv().await else { panic!() };
/// assert_eq!(&*first.label, "a", "the view there is comes first");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Events {
    published: Arc<Published>,
    /// Told before anything of the receiver.
    first: VecDeque<ClusterEvent>,
    receiver: Option<broadcast::Receiver<ClusterEvent>>,
}

impl Events {
    pub(super) fn new(published: Arc<Published>) -> Self {
        let mut events = Self { published, first: VecDeque::new(), receiver: None };
        events.start_over();
        events
    }

    /// The next change; `None` when there will be no more. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<ClusterEvent> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        let receiver = self.receiver.as_mut()?;
        match receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Closed) => {
                self.receiver = None;
                None
            }
            Err(RecvError::Lagged(dropped)) => {
                // What is still in the channel lies before the view that is told instead.
                let dropped = dropped + receiver.len() as u64;
                self.start_over();
                Some(ClusterEvent::Lagged { dropped })
            }
        }
    }

    fn start_over(&mut self) {
        let (view, receiver): (Vec<Node>, _) = self.published.follow();
        self.first = view.into_iter().map(ClusterEvent::NodeJoined).collect();
        self.receiver = receiver;
    }
}
