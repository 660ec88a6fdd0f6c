//! News waiting to be passed on: one entry a member, the gravest first, each sent a limited number of times.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeId;
use super::limits::{GOSSIP_BULK, TRANSMITS_MAX};

/// What kind of news it is; the order is the order of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Somebody lives who is believed dead or dying.
    Refuted,
    /// Somebody is gone.
    Gone,
    Suspected,
    Joined,
    Tagged,
}

/// The queue. Holds at most one entry a member, so it is bounded by the table.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: BTreeMap<NodeId, Entry>,
    /// By urgency, then least sent.
    order: BTreeSet<(Urgency, u8, NodeId)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    urgency: Urgency,
    /// At most `TRANSMITS_MAX`.
    sent: u8,
    /// The whole record is to be sent, not only the standing.
    full: bool,
}

/// One piece of news to write into a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) id: NodeId,
    pub(crate) full: bool,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// So many wait that single datagrams would take too long.
    pub(crate) fn is_bulk(&self) -> bool {
        self.entries.len() > GOSSIP_BULK
    }

    /// Queues news of a member afresh. A record that still had to be sent whole stays whole.
    pub(crate) fn push(&mut self, id: NodeId, urgency: Urgency, full: bool) {
        let whole = self.remove(id).is_some_and(|entry| entry.full);
        self.insert(id, Entry { urgency, sent: 0, full: full || whole });
    }

    /// How often each update is sent in a cluster of `live`: 3·⌈log2(N + 1)⌉, a third of it in bulk. (memberlist's
    /// 4·⌈log10(N + 1)⌉ misses a node in 1.5 % of small clusters at 25 % loss.)
    pub(crate) fn transmits(&self, live: usize) -> u8 {
        let log2 = (usize::BITS - live.leading_zeros()) as u8;
        if self.is_bulk() { log2 } else { (3 * log2).min(TRANSMITS_MAX) }
    }

    /// Offers news in order until `write` says that there is no room. News that does not fit is skipped by `write`
    /// returning `Offer::Skip`; news that was sent often enough is dropped.
    pub(crate) fn offer(&mut self, live: usize, mut write: impl FnMut(News) -> Offer) {
        let transmits = self.transmits(live);
        let (mut sent, mut dropped) = (Vec::new(), Vec::new());
        for &(_, _, id) in &self.order {
            let Some(entry) = self.entries.get(&id) else { continue };
            match write(News { id, full: entry.full }) {
                Offer::Written => sent.push(id),
                Offer::Skip => {}
                Offer::Drop => dropped.push(id),
                Offer::NoRoom => break,
            }
        }
        for id in dropped {
            self.remove(id);
        }
        for id in sent {
            if let Some(entry) = self.remove(id)
                && entry.sent + 1 < transmits
            {
                self.insert(id, Entry { sent: entry.sent + 1, ..entry });
            }
        }
    }

    fn insert(&mut self, id: NodeId, entry: Entry) {
        self.entries.insert(id, entry);
        self.order.insert((entry.urgency, entry.sent, id));
    }

    fn remove(&mut self, id: NodeId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.order.remove(&(entry.urgency, entry.sent, id));
        Some(entry)
    }
}

/// What became of news offered to a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Written,
    Skip,
    /// There is no such member any more.
    Drop,
    NoRoom,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> NodeId {
        NodeId::new(Uuid::from_u128(number))
    }

    fn order(queue: &mut Queue) -> Vec<NodeId> {
        let mut order = Vec::new();
        queue.offer(3, |news| {
            order.push(news.id);
            Offer::Written
        });
        order
    }

    #[test]
    fn the_gravest_news_goes_first_and_then_the_least_sent() {
        let mut queue = Queue::default();
        queue.push(id(1), Urgency::Joined, true);
        assert_eq!(order(&mut queue), [id(1)]);
        queue.push(id(2), Urgency::Joined, true);
        queue.push(id(3), Urgency::Gone, false);
        queue.push(id(4), Urgency::Refuted, false);
        assert_eq!(order(&mut queue), [id(4), id(3), id(2), id(1)]);
    }

    #[test]
    fn news_is_dropped_when_it_was_sent_often_enough() {
        let mut queue = Queue::default();
        queue.push(id(1), Urgency::Suspected, false);
        for _ in 0..queue.transmits(3) {
            assert_eq!(order(&mut queue), [id(1)]);
        }
        assert!(queue.is_empty());
    }

    #[test]
    fn newer_news_of_a_member_replaces_the_older_and_keeps_it_whole() {
        let mut queue = Queue::default();
        queue.push(id(1), Urgency::Joined, true);
        queue.push(id(1), Urgency::Suspected, false);
        let mut offered = Vec::new();
        queue.offer(3, |news| {
            offered.push(news);
            Offer::NoRoom
        });
        assert_eq!(offered, [News { id: id(1), full: true }]);
    }
}
