//! The view as readers see it: written by the driver, read without asking it.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};

use crate::membership::{ClusterEvent, Node, NodeId};
use crate::partition::Quorum;

/// Events kept for a reader that lags: a thousand nodes joining at once fit. A slower reader starts over.
const EVENTS_KEPT: usize = 1_024;

/// The present view, and the events that led to it. One lock for both, so that a subscription starts exactly where
/// the view it begins with ends.
#[derive(Debug)]
pub(super) struct Published {
    state: Mutex<State>,
    quorum: watch::Sender<Quorum>,
}

#[derive(Debug)]
struct State {
    view: BTreeMap<NodeId, Node>,
    /// `None` when the driver has ended.
    events: Option<broadcast::Sender<ClusterEvent>>,
}

impl Published {
    pub(super) fn new() -> Self {
        let events = Some(broadcast::Sender::new(EVENTS_KEPT));
        let state = Mutex::new(State { view: BTreeMap::new(), events });
        Self { state, quorum: watch::Sender::new(Quorum::default()) }
    }

    pub(super) fn publish(&self, event: ClusterEvent) {
        let mut state = self.state.lock();
        match &event {
            ClusterEvent::NodeJoined(node)
            | ClusterEvent::NodeRecovered(node)
            | ClusterEvent::TagsChanged(node)
            | ClusterEvent::NodeSuspected { node, .. } => {
                state.view.insert(node.id, node.clone());
            }
            ClusterEvent::NodeLeft(node) | ClusterEvent::NodeFailed(node) => {
                state.view.remove(&node.id);
            }
            // Sides and losses are told besides; the view is changed by the members alone.
            _ => {}
        }
        if let Some(events) = &state.events {
            // An error says that nobody listens.
            let _ = events.send(event);
        }
    }

    /// No more events will come.
    pub(super) fn end(&self) {
        self.state.lock().events = None;
        // Who is no member any more writes nothing in the cluster's name.
        self.quorum.send_modify(|quorum| quorum.held = false);
    }

    pub(super) fn view(&self) -> Vec<Node> {
        self.state.lock().view.values().cloned().collect()
    }

    /// The view, and a receiver of everything after it; `None` when there is no after.
    pub(super) fn follow(&self) -> (Vec<Node>, Option<broadcast::Receiver<ClusterEvent>>) {
        let state = self.state.lock();
        let receiver = state.events.as_ref().map(broadcast::Sender::subscribe);
        (state.view.values().cloned().collect(), receiver)
    }

    pub(super) fn set_quorum(&self, quorum: Quorum) {
        self.quorum.send_if_modified(|held| std::mem::replace(held, quorum) != quorum);
    }

    pub(super) fn quorum(&self) -> watch::Receiver<Quorum> {
        self.quorum.subscribe()
    }
}
