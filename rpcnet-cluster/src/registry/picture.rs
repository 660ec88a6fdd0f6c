//! The events of a cluster, folded into the workers there are. Pure; nothing is dialled before a call needs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use super::{
    losses::Loss,
    worker::{Instance, Worker},
};
use crate::{
    balance::{Home, ZONE_TAG},
    dispatch::{Dialler, Line},
    membership::{ClusterEvent, Node, NodeId},
};

/// The nodes there are, as far as the events told.
#[derive(Debug)]
pub(crate) struct Picture {
    nodes: BTreeMap<NodeId, Seat>,
    dialler: Dialler,
    /// Whose zone calls stay in.
    home: Home,
    /// The lines that somebody holds: a worker that comes back as the same process, or is told of again, keeps its own.
    lines: BTreeMap<Instance, Weak<Line>>,
}

/// A node's place in the picture.
#[derive(Debug)]
struct Seat {
    node: Node,
    suspected: bool,
    worker: Option<Worker>,
}

/// The picture at one moment. It never changes; a reader keeps it as long as it likes.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Every node that is alive or suspected, by id.
    pub(crate) nodes: Vec<Node>,
    /// Those of them that serve calls, by id.
    pub(crate) workers: Vec<Worker>,
    /// Workers that failed lately, by id.
    pub(crate) failed: Vec<Loss>,
}

impl Snapshot {
    /// The events that tell of everybody in it.
    pub(crate) fn told(&self) -> impl Iterator<Item = ClusterEvent> + '_ {
        self.nodes.iter().cloned().map(ClusterEvent::NodeJoined)
    }
}

impl Picture {
    /// A picture of nobody, whose workers will be reached through `dialler`, seen from `home`.
    pub(crate) fn new(dialler: Dialler, home: Home) -> Self {
        Self { nodes: BTreeMap::new(), dialler, home, lines: BTreeMap::new() }
    }

    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &ClusterEvent) {
        match event {
            ClusterEvent::NodeJoined(node) | ClusterEvent::NodeRecovered(node) => self.seat(node, false),
            ClusterEvent::NodeSuspected { node, .. } => self.seat(node, true),
            ClusterEvent::TagsChanged(node) => {
                let suspected = self.nodes.get(&node.id).is_some_and(|seat| seat.suspected);
                self.seat(node, suspected);
            }
            ClusterEvent::NodeLeft(node) | ClusterEvent::NodeFailed(node) => self.unseat(node),
            // Every member is told of again. The lines survive: the last snapshot still holds them.
            ClusterEvent::Lagged { .. } => self.nodes.clear(),
            // A split is no matter of single workers: those who are out of reach have failed.
            ClusterEvent::PartitionDetected { .. }
            | ClusterEvent::PartitionChanged { .. }
            | ClusterEvent::ViewsMerged { .. }
            | ClusterEvent::PartitionHealed { .. }
            | ClusterEvent::MassFailure { .. } => {}
        }
    }

    /// The picture as it is now.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        self.lines.retain(|_, line| line.strong_count() > 0);
        Snapshot {
            nodes: self.nodes.values().map(|seat| seat.node.clone()).collect(),
            workers: self.workers(),
            failed: Vec::new(),
        }
    }

    fn workers(&self) -> Vec<Worker> {
        let workers = self.nodes.values().filter_map(|seat| seat.worker.clone());
        let Some(zone) = self.zone() else { return workers.collect() };
        // Those without a zone are in one together.
        let zones =
            workers.clone().map(|worker| worker.zone().map(str::to_owned)).collect::<BTreeSet<_>>().len();
        workers.map(|worker| worker.seen_from(&zone, zones)).collect()
    }

    /// The zone that calls stay in, if there is one.
    fn zone(&self) -> Option<String> {
        match &self.home {
            Home::Unsaid | Home::Anywhere => None,
            Home::Zone(zone) => Some(zone.to_string()),
            Home::Node(id) => self.nodes.get(id)?.node.tag(ZONE_TAG).map(str::to_owned),
        }
    }

    fn seat(&mut self, node: &Node, suspected: bool) {
        if self.nodes.get(&node.id).is_some_and(|seat| seat.node.generation > node.generation) {
            return;
        }
        let worker = self.line(node).map(|line| Worker::new(node, suspected, line));
        self.nodes.insert(node.id, Seat { node: node.clone(), suspected, worker });
    }

    /// Takes a node out, unless a newer process has its seat.
    fn unseat(&mut self, node: &Node) {
        if self.nodes.get(&node.id).is_some_and(|seat| seat.node.generation <= node.generation) {
            self.nodes.remove(&node.id);
        }
    }

    /// The line to a node, if it serves calls: the one there is, or a new one.
    fn line(&mut self, node: &Node) -> Option<Arc<Line>> {
        let (instance, addr) = (Instance::from(node), node.rpc_addr?);
        let held = self.lines.get(&instance).and_then(Weak::upgrade).filter(|line| line.addr() == addr);
        Some(held.unwrap_or_else(|| {
            let line = self.dialler.line(instance, &node.label, addr);
            self.lines.insert(instance, Arc::downgrade(&line));
            line
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::testing::{dialler, node};

    fn picture(events: &[ClusterEvent]) -> Picture {
        let mut picture = Picture::new(dialler(), Home::Anywhere);
        events.iter().for_each(|event| picture.apply(event));
        picture
    }

    /// The workers as text: number, generation, `?` if suspected or degraded.
    fn workers(picture: &mut Picture) -> Vec<String> {
        let text = |worker: &Worker| {
            let mark = if worker.runner(std::time::Instant::now()).suspected { "?" } else { "" };
            format!("{}.{}{mark}", worker.id.as_uuid().as_u128(), worker.instance().generation.0)
        };
        picture.snapshot().workers.iter().map(text).collect()
    }

    use ClusterEvent::{Lagged, NodeFailed, NodeJoined, NodeLeft, NodeRecovered, NodeSuspected, TagsChanged};

    fn suspected(node: Node) -> ClusterEvent {
        NodeSuspected { node, phi: 8.0 }
    }

    #[test]
    fn each_event_changes_the_workers_as_it_says() {
        let (a, b) = (node(1, 1), node(2, 1));
        let mut silent = node(3, 1);
        silent.rpc_addr = None;
        let unwell = Node { degraded: true, ..a.clone() };
        let steps: [(ClusterEvent, &[&str]); 12] = [
            (NodeJoined(b.clone()), &["2.1"]),
            (NodeJoined(silent), &["2.1"]),
            (NodeJoined(a.clone()), &["1.1", "2.1"]),
            (suspected(a.clone()), &["1.1?", "2.1"]),
            (TagsChanged(a.clone()), &["1.1?", "2.1"]),
            (NodeRecovered(a.clone()), &["1.1", "2.1"]),
            (TagsChanged(unwell.clone()), &["1.1?", "2.1"]),
            (NodeRecovered(unwell), &["1.1?", "2.1"]),
            (TagsChanged(a.clone()), &["1.1", "2.1"]),
            (NodeFailed(a.clone()), &["2.1"]),
            (NodeRecovered(a), &["1.1", "2.1"]),
            (NodeLeft(b), &["1.1"]),
        ];
        let mut picture = picture(&[]);
        for (event, expected) in steps {
            picture.apply(&event);
            assert_eq!(workers(&mut picture), expected, "after {event:?}");
        }
    }

    #[test]
    fn what_is_told_of_an_older_process_does_not_touch_the_newer_one() {
        for old in
            [NodeFailed(node(1, 1)), NodeLeft(node(1, 1)), suspected(node(1, 1)), NodeJoined(node(1, 1))]
        {
            assert_eq!(workers(&mut picture(&[NodeJoined(node(1, 2)), old])), ["1.2"]);
        }
    }

    #[test]
    fn a_restarted_worker_gets_a_new_line_and_its_calls_keep_the_old_one() {
        let mut picture = picture(&[NodeJoined(node(1, 1))]);
        let before = picture.snapshot();
        let call = before.workers[0].line().enter();
        picture.apply(&NodeJoined(node(1, 2)));
        let after = picture.snapshot();
        assert_eq!((before.workers[0].active_connections(), after.workers[0].active_connections()), (1, 0));
        drop(call);
        assert_eq!(before.workers[0].active_connections(), 0);
    }

    #[test]
    fn a_worker_told_of_again_keeps_its_line() {
        let again: [&[ClusterEvent]; 3] = [
            &[TagsChanged(node(1, 1))],
            &[NodeFailed(node(1, 1)), NodeRecovered(node(1, 1))],
            &[Lagged { dropped: 9 }, NodeJoined(node(1, 1))],
        ];
        for events in again {
            let mut picture = picture(&[NodeJoined(node(1, 1))]);
            let before = picture.snapshot();
            events.iter().for_each(|event| picture.apply(event));
            let after = picture.snapshot();
            assert!(Arc::ptr_eq(before.workers[0].line(), after.workers[0].line()), "{events:?}");
        }
    }

    #[test]
    fn a_line_that_nobody_holds_is_forgotten() {
        let mut picture = picture(&[NodeJoined(node(1, 1)), NodeLeft(node(1, 1))]);
        let snapshot = picture.snapshot();
        assert!(snapshot.workers.is_empty() && picture.lines.is_empty());
    }

    #[test]
    fn after_a_lag_the_picture_is_what_is_told_again() {
        let events =
            [NodeJoined(node(1, 1)), NodeJoined(node(2, 1)), Lagged { dropped: 3 }, NodeJoined(node(2, 1))];
        assert_eq!(workers(&mut picture(&events)), ["2.1"]);
    }

    fn any_event() -> impl Strategy<Value = ClusterEvent> {
        (0..5_u8, 1..4_u8, 1..4_u64).prop_map(|(kind, number, generation)| {
            let node = node(number, generation);
            match kind {
                0 => NodeJoined(node),
                1 => NodeLeft(node),
                2 => suspected(node),
                3 => NodeFailed(node),
                _ => NodeRecovered(node),
            }
        })
    }

    proptest! {
        #[test]
        fn workers_are_unique_in_order_and_told_of_twice_is_told_of_once(
            events in prop::collection::vec(any_event(), 0..30),
        ) {
            let twice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
            let (mut once, mut doubled) = (picture(&events), picture(&twice));
            prop_assert_eq!(workers(&mut once), workers(&mut doubled));
            let ids: Vec<_> = once.snapshot().workers.iter().map(|worker| worker.id).collect();
            prop_assert!(ids.is_sorted_by(|a, b| a < b));
        }
    }
}
