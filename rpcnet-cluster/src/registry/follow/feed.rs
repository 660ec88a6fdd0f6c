//! What a node tells its followers: one view, one version, one channel for all of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::Codec;
use tokio::sync::{broadcast, oneshot};

use super::{
    super::source::{Source, next_batch},
    protocol::{ENTRIES_MAX, Entry, Gone, Seat, Update},
};
use crate::membership::{ClusterEvent, Node, NodeId};

/// How many changes wait for a follower before it is told the picture anew. All followers share them.
const CHANGES_KEPT: usize = 1_024;

/// The view of a node, and its followers.
#[derive(Debug)]
pub(super) struct Feed {
    state: Mutex<State>,
    /// Ends the task that feeds it when it is dropped.
    _alive: oneshot::Sender<()>,
}

#[derive(Debug)]
struct State {
    seats: BTreeMap<NodeId, Seat>,
    version: u64,
    /// The present picture, encoded, if anybody asked since it changed last.
    picture: Option<Arc<[Bytes]>>,
    /// `None` when the node has left its cluster.
    changes: Option<broadcast::Sender<Bytes>>,
}

/// What a batch of events may have changed.
#[derive(Debug)]
struct Touched {
    before: Option<Seat>,
    /// It said farewell.
    left: bool,
}

/// A picture, and what follows on it.
pub(super) type Place = (Arc<[Bytes]>, broadcast::Receiver<Bytes>);

impl Feed {
    /// A feed of this source, and its task.
    pub(super) fn start(source: impl Source) -> Arc<Self> {
        let (alive, dropped) = oneshot::channel();
        let changes = Some(broadcast::Sender::new(CHANGES_KEPT));
        let state = State { seats: BTreeMap::new(), version: 0, picture: None, changes };
        let feed = Arc::new(Self { state: Mutex::new(state), _alive: alive });
        tokio::spawn(run(Arc::downgrade(&feed), source, dropped));
        feed
    }

    /// The picture of now, and everything after it; `None` when there is no after.
    pub(super) fn place(&self) -> Option<Place> {
        let mut state = self.state.lock();
        let changes = state.changes.as_ref()?.subscribe();
        Some((state.picture(), changes))
    }
}

async fn run(feed: Weak<Feed>, mut source: impl Source, mut dropped: oneshot::Receiver<()>) {
    let mut batch = Vec::new();
    loop {
        let more = tokio::select! {
            biased;
            more = next_batch(&mut source, &mut batch) => more,
            _ = &mut dropped => return,
        };
        let Some(feed) = feed.upgrade() else { return };
        let mut state = feed.state.lock();
        if !more {
            state.changes = None;
            return;
        }
        state.take_in(std::mem::take(&mut batch));
    }
}

impl State {
    /// Folds events in, and tells what is different by them.
    fn take_in(&mut self, events: Vec<ClusterEvent>) {
        let mut touched = BTreeMap::new();
        for event in events {
            self.apply(event, &mut touched);
        }
        let (mut entries, mut gone) = (Vec::new(), Vec::new());
        for (id, Touched { before, left }) in touched {
            match (before, self.seats.get(&id)) {
                (before, Some(seat)) if before.as_ref() != Some(seat) => entries.push(Entry::from(seat)),
                (Some(seat), None) => gone.push(Gone::new(&seat.node, left)),
                _ => {}
            }
        }
        self.tell(entries, gone);
    }

    fn apply(&mut self, event: ClusterEvent, touched: &mut BTreeMap<NodeId, Touched>) {
        match event {
            ClusterEvent::NodeJoined(node) | ClusterEvent::NodeRecovered(node) => {
                self.seat(node, Some(false), touched);
            }
            ClusterEvent::NodeSuspected { node, .. } => self.seat(node, Some(true), touched),
            ClusterEvent::TagsChanged(node) => self.seat(node, None, touched),
            ClusterEvent::NodeLeft(node) => self.unseat(&node, true, touched),
            ClusterEvent::NodeFailed(node) => self.unseat(&node, false, touched),
            // The whole view follows in the same batch.
            ClusterEvent::Lagged { .. } => {
                for (id, seat) in std::mem::take(&mut self.seats) {
                    touched.entry(id).or_insert(Touched { before: Some(seat), left: false });
                }
            }
            // Splits are a member's business; what they do to the view is told node by node.
            _ => {}
        }
    }

    fn seat(&mut self, node: Node, suspected: Option<bool>, touched: &mut BTreeMap<NodeId, Touched>) {
        let held = self.seats.get(&node.id);
        if held.is_some_and(|held| held.node.generation > node.generation) {
            return;
        }
        touched.entry(node.id).or_insert_with(|| Touched { before: held.cloned(), left: false });
        let suspected = suspected.unwrap_or_else(|| held.is_some_and(|held| held.suspected));
        self.seats.insert(node.id, Seat { node, suspected });
    }

    /// Takes a node out, unless a newer process has its seat.
    fn unseat(&mut self, node: &Node, left: bool, touched: &mut BTreeMap<NodeId, Touched>) {
        if self.seats.get(&node.id).is_none_or(|seat| seat.node.generation > node.generation) {
            return;
        }
        let before = self.seats.remove(&node.id);
        touched.entry(node.id).or_insert(Touched { before, left }).left = left;
    }

    /// Tells changes, in messages of a bounded size. Each is encoded once, however many follow.
    fn tell(&mut self, entries: Vec<Entry>, gone: Vec<Gone>) {
        let pieces = entries.chunks(ENTRIES_MAX).map(|entries| (entries.to_vec(), Vec::new()));
        let gone = gone.chunks(ENTRIES_MAX).map(|gone| (Vec::new(), gone.to_vec()));
        for (entries, gone) in gone.chain(pieces) {
            self.version += 1;
            self.picture = None;
            let update = encoded(&Update::Changed { version: self.version, entries, gone });
            if let Some(changes) = &self.changes {
                // An error says that nobody follows.
                let _ = changes.send(update);
            }
        }
    }

    fn picture(&mut self) -> Arc<[Bytes]> {
        let version = self.version;
        let entries: Vec<_> = self.seats.values().map(Entry::from).collect();
        let encode = || {
            let pieces = entries.len().div_ceil(ENTRIES_MAX).max(1);
            let piece = |number: usize| {
                let rest = entries.iter().skip(number * ENTRIES_MAX).take(ENTRIES_MAX);
                let (entries, last) = (rest.cloned().collect(), number + 1 == pieces);
                encoded(&Update::Picture { version, entries, last })
            };
            (0..pieces).map(piece).collect()
        };
        Arc::clone(self.picture.get_or_insert_with(encode))
    }
}

fn encoded(update: &Update) -> Bytes {
    Codec::Bincode.encode(update).expect("texts, numbers and addresses can be encoded")
}
