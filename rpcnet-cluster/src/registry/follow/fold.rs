//! What a follower holds: updates in, the events that they mean out. Pure.

use std::collections::BTreeMap;

use super::protocol::{Entry, Gone, Seat, Update};
use crate::membership::{ClusterEvent, NodeId};

/// The picture of a follower, kept from one node that it follows to the next.
///
/// Only differences become events: after a move to another node, whose picture is told from the beginning, nobody is told
/// of again who was known already.
#[derive(Debug, Default)]
pub(super) struct Fold {
    seats: BTreeMap<NodeId, Seat>,
    /// The version of the node that is followed; `None` before its picture is whole.
    version: Option<u64>,
    /// The pieces of a picture that is not whole yet, with its version.
    pieces: Option<(u64, Vec<Entry>)>,
}

/// An update that does not follow from the one before: something is missing, and the picture has to be asked for anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an update of version {found} came where {expected:?} was expected")]
pub(super) struct Gap {
    expected: Option<u64>,
    found: u64,
}

impl Fold {
    /// Another node is followed from here on, or the same one anew. What is held stays until its picture is whole.
    pub(super) fn handle_moved(&mut self) {
        (self.version, self.pieces) = (None, None);
    }

    /// Whether the picture of the node that is followed has come.
    pub(super) fn is_whole(&self) -> bool {
        self.version.is_some()
    }

    /// Takes in an update, and says what has changed by it.
    pub(super) fn handle_update(&mut self, update: Update) -> Result<Vec<ClusterEvent>, Gap> {
        match update {
            Update::Picture { version, entries, last } => self.handle_piece(version, entries, last),
            Update::Changed { version, entries, gone } => {
                let expected = self.version.map(|version| version.wrapping_add(1));
                if expected != Some(version) {
                    return Err(Gap { expected, found: version });
                }
                self.version = expected;
                Ok(self.change(entries, gone))
            }
        }
    }

    fn handle_piece(
        &mut self,
        version: u64,
        entries: Vec<Entry>,
        last: bool,
    ) -> Result<Vec<ClusterEvent>, Gap> {
        let (expected, mut pieces) = self.pieces.take().unwrap_or((version, Vec::new()));
        if expected != version {
            return Err(Gap { expected: Some(expected), found: version });
        }
        pieces.extend(entries);
        if !last {
            self.pieces = Some((version, pieces));
            return Ok(Vec::new());
        }
        self.version = Some(version);
        Ok(self.replace(pieces))
    }

    /// The difference between what is held and a whole picture. Why somebody is in it no more is not known; as nobody was
    /// heard to leave, it counts as failed.
    fn replace(&mut self, entries: Vec<Entry>) -> Vec<ClusterEvent> {
        let there: BTreeMap<_, _> =
            entries.into_iter().map(Seat::from).map(|seat| (seat.node.id, seat)).collect();
        let mut events = Vec::new();
        let gone = self.seats.extract_if(.., |id, _| !there.contains_key(id));
        events.extend(gone.map(|(_, seat)| ClusterEvent::NodeFailed(seat.node)));
        there.into_values().for_each(|seat| self.seat(seat, &mut events));
        events
    }

    fn change(&mut self, entries: Vec<Entry>, gone: Vec<Gone>) -> Vec<ClusterEvent> {
        let mut events = Vec::new();
        for gone in gone {
            let held = self.seats.get(&gone.id());
            if held.is_none_or(|held| held.node.generation > gone.generation()) {
                continue;
            }
            if let Some(Seat { node, .. }) = self.seats.remove(&gone.id()) {
                let left = gone.left();
                events.push(if left { ClusterEvent::NodeLeft(node) } else { ClusterEvent::NodeFailed(node) });
            }
        }
        entries.into_iter().for_each(|entry| self.seat(entry.into(), &mut events));
        events
    }

    /// Takes in what is said of one node, unless something later is held: the node that is followed now may be behind the
    /// one before, and is about to hear of it.
    fn seat(&mut self, seat: Seat, events: &mut Vec<ClusterEvent>) {
        let (node, age) = (&seat.node, |seat: &Seat| (seat.node.generation, seat.node.incarnation));
        let before = match self.seats.get(&node.id) {
            Some(held) if age(held) > age(&seat) => return,
            Some(held) if held.node.generation == node.generation => Some(held),
            _ => None,
        };
        let described = |node: &crate::Node| {
            (node.label.clone(), node.tags.clone(), node.rpc_addr, node.addr, node.capacity, node.degraded)
        };
        match before {
            None => events.push(ClusterEvent::NodeJoined(node.clone())),
            Some(held) if described(&held.node) != described(node) => {
                events.push(ClusterEvent::TagsChanged(node.clone()));
            }
            Some(_) => {}
        }
        match (before.is_some_and(|held| held.suspected), seat.suspected) {
            (false, true) => events.push(ClusterEvent::NodeSuspected { node: node.clone(), phi: 0.0 }),
            (true, false) => events.push(ClusterEvent::NodeRecovered(node.clone())),
            _ => {}
        }
        self.seats.insert(seat.node.id, seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::node;
    use ClusterEvent::{NodeFailed, NodeJoined, NodeLeft, NodeRecovered, NodeSuspected, TagsChanged};

    fn entry(number: u8, suspected: bool) -> Entry {
        Entry::from(&Seat { node: node(number, 1), suspected })
    }

    fn whole(version: u64, numbers: &[u8]) -> Update {
        let entries = numbers.iter().map(|number| entry(*number, false)).collect();
        Update::Picture { version, entries, last: true }
    }

    fn following(numbers: &[u8]) -> Fold {
        let mut fold = Fold::default();
        fold.handle_update(whole(5, numbers)).expect("a picture may begin anywhere");
        fold
    }

    fn changed(version: u64, entries: Vec<Entry>, gone: Vec<Gone>) -> Update {
        Update::Changed { version, entries, gone }
    }

    #[test]
    fn the_picture_of_another_node_tells_only_what_is_different() {
        let mut fold = following(&[1, 2]);
        fold.handle_moved();
        assert!(!fold.is_whole());
        let events = fold.handle_update(whole(900, &[2, 3]));
        assert_eq!(events, Ok(vec![NodeFailed(node(1, 1)), NodeJoined(node(3, 1))]));
        fold.handle_moved();
        assert_eq!(fold.handle_update(whole(7, &[2, 3])), Ok(vec![]));
    }

    #[test]
    fn a_version_that_is_missing_or_repeated_is_a_gap() {
        for found in [5, 7] {
            let gap = Gap { expected: Some(6), found };
            assert_eq!(following(&[1]).handle_update(changed(found, vec![], vec![])), Err(gap));
        }
        let early = Fold::default().handle_update(changed(1, vec![], vec![]));
        assert_eq!(early, Err(Gap { expected: None, found: 1 }));
    }

    #[test]
    fn a_picture_counts_when_its_last_piece_is_there() {
        let mut fold = following(&[1]);
        fold.handle_moved();
        let piece = Update::Picture { version: 1, entries: vec![entry(2, false)], last: false };
        assert_eq!((fold.handle_update(piece.clone()), fold.is_whole()), (Ok(vec![]), false));
        assert_eq!(fold.handle_update(whole(1, &[1])), Ok(vec![NodeJoined(node(2, 1))]));
        let mut torn = Fold::default();
        torn.handle_update(piece).expect("a first piece");
        assert_eq!(torn.handle_update(whole(2, &[1])), Err(Gap { expected: Some(1), found: 2 }));
    }

    #[test]
    fn changes_are_told_as_what_they_are_and_once() {
        let mut fold = following(&[1, 2]);
        let suspected = NodeSuspected { node: node(1, 1), phi: 0.0 };
        let gone = |left| Gone::new(&node(1, 1), left);
        let unwell = crate::Node { degraded: true, ..node(1, 1) };
        let degraded = Entry::from(&Seat { node: unwell.clone(), suspected: false });
        let steps = [
            (vec![degraded], vec![], vec![TagsChanged(unwell)]),
            (vec![entry(1, false)], vec![], vec![TagsChanged(node(1, 1))]),
            (vec![entry(1, true)], vec![], vec![suspected]),
            (vec![entry(1, true)], vec![], vec![]),
            (vec![entry(1, false)], vec![], vec![NodeRecovered(node(1, 1))]),
            (vec![], vec![gone(true)], vec![NodeLeft(node(1, 1))]),
            (vec![], vec![gone(false)], vec![]),
            (vec![], vec![Gone::new(&node(2, 1), false)], vec![NodeFailed(node(2, 1))]),
        ];
        for (version, (entries, gone, expected)) in (6..).zip(steps) {
            assert_eq!(fold.handle_update(changed(version, entries, gone)), Ok(expected), "{version}");
        }
    }

    #[test]
    fn a_node_that_is_behind_brings_no_older_process_back() {
        let mut fold = Fold::default();
        let new = Entry::from(&Seat { node: node(1, 2), suspected: false });
        fold.handle_update(Update::Picture { version: 1, entries: vec![new], last: true }).expect("whole");
        fold.handle_moved();
        assert_eq!(fold.handle_update(whole(1, &[1])), Ok(vec![]));
        let late = changed(2, vec![], vec![Gone::new(&node(1, 1), false)]);
        assert_eq!(fold.handle_update(late), Ok(vec![]), "the end of the older process");
    }
}
