//! Who observes whom: each ring is its own hash order of the ids, and a node observes its successors (Rapid §4.1).
//!
//! Fixed observers are what makes a φ possible at a cost that does not grow with the cluster: a random prober meets
//! one given peer once in N periods and has no history of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use super::NodeId;
use super::limits::{RING_EDGES_MAX, RINGS};
use super::message::hash;

/// Salt of the rings' orders; ring `r` uses the salt plus `r`.
const RING_SALT: u64 = 0x7269_6e67_0000;

/// All members that have not left, in five orders.
#[derive(Debug, Default)]
pub(crate) struct Rings([BTreeSet<(u64, NodeId)>; RINGS]);

/// How a ring's walk regards a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standpoint {
    /// Alive and answering: the walk may end here.
    Good,
    /// Suspected, or late to answer: observed, and the ring looks further.
    Bad,
    /// Failed a moment ago: its neighbours may be failing too.
    FailedLately,
    /// Failed, and everything around it has had time to show.
    Failed,
}

/// Whom to observe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Distinct members to watch.
    pub(crate) watched: BTreeSet<NodeId>,
    /// The first failed successor of each ring: probed on, so that a healed link is noticed.
    pub(crate) failed: BTreeSet<NodeId>,
}

impl Rings {
    pub(crate) fn insert(&mut self, id: NodeId) {
        for (ring, order) in self.0.iter_mut().enumerate() {
            order.insert((place(ring, id), id));
        }
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        for (ring, order) in self.0.iter_mut().enumerate() {
            order.remove(&(place(ring, id), id));
        }
    }

    /// The members that `me` observes: in each ring the first good successor that no other ring has taken, and what
    /// lies before it. Without `look_ahead` only the first of each ring.
    pub(crate) fn observed(
        &self,
        me: NodeId,
        look_ahead: bool,
        regard: impl Fn(NodeId) -> Standpoint,
    ) -> Observed {
        let mut observed = Observed::default();
        // First choices of all rings come before anyone's look-ahead, or the first ring would take the others' places.
        let mut regarded = BTreeMap::new();
        let mut regard = |id| *regarded.entry(id).or_insert_with(|| regard(id));
        for ring in 0..RINGS {
            self.walk(ring, me, 1, &mut observed, &mut regard);
        }
        if look_ahead {
            for ring in 0..RINGS {
                self.walk(ring, me, RING_EDGES_MAX, &mut observed, &mut regard);
            }
        }
        observed
    }

    /// Walks one ring, widening by 1, 2, 4 … while all of what it saw is bad, to at most `edges` members.
    fn walk(
        &self,
        ring: usize,
        me: NodeId,
        edges: usize,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) {
        let (mut seen, mut wanted, mut good, mut first_failed) = (0, 1, false, true);
        for id in self.successors(ring, me) {
            match regard(id) {
                standpoint @ (Standpoint::FailedLately | Standpoint::Failed) => {
                    if first_failed {
                        observed.failed.insert(id);
                        first_failed = false;
                    }
                    if standpoint == Standpoint::Failed || edges == 1 {
                        continue;
                    }
                }
                // In the first pass a ring whose successor is taken goes on to the next; in the second it has its own.
                standpoint => {
                    let new = observed.watched.insert(id);
                    if !new && edges == 1 {
                        continue;
                    }
                    good |= standpoint == Standpoint::Good;
                }
            }
            seen += 1;
            if seen >= edges || (seen == wanted && good) {
                break;
            }
            if seen == wanted {
                wanted *= 2;
            }
        }
    }

    /// All others after `me`, once around.
    fn successors(&self, ring: usize, me: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let (order, here) = (&self.0[ring], (place(ring, me), me));
        let after = order.range((Excluded(here), Unbounded));
        after.chain(order.range(..here)).map(|&(_, id)| id)
    }

    /// Those before `me`, one a ring: its observers, as far as the rings are settled.
    pub(crate) fn predecessors(&self, me: NodeId) -> BTreeSet<NodeId> {
        let previous = |(ring, order): (usize, &BTreeSet<(u64, NodeId)>)| {
            let here = (place(ring, me), me);
            let before = order.range(..here).next_back();
            before.or_else(|| order.range((Excluded(here), Unbounded)).next_back()).map(|&(_, id)| id)
        };
        self.0.iter().enumerate().filter_map(previous).collect()
    }
}

fn place(ring: usize, id: NodeId) -> u64 {
    hash(RING_SALT + ring as u64, &id.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> NodeId {
        NodeId::new(Uuid::from_u128(number))
    }

    fn rings(nodes: u128) -> Rings {
        let mut rings = Rings::default();
        (0..nodes).for_each(|number| rings.insert(id(number)));
        rings
    }

    #[test]
    fn a_node_observes_min_of_five_and_all_others() {
        for (nodes, expected) in [(1, 0), (2, 1), (3, 2), (5, 4), (6, 5), (50, 5)] {
            let observed = rings(nodes).observed(id(0), true, |_| Standpoint::Good);
            assert_eq!(observed.watched.len(), expected, "of {nodes}");
        }
    }

    #[test]
    fn every_node_has_at_least_two_observers() {
        for nodes in [3, 6, 7, 10, 40] {
            let rings = rings(nodes);
            for subject in (0..nodes).map(id) {
                let observers =
                    (0..nodes).map(id).filter(|&observer| observer != subject).filter(|&observer| {
                        rings.observed(observer, false, |_| Standpoint::Good).watched.contains(&subject)
                    });
                assert!(observers.count() >= 2, "{subject:?} of {nodes}");
            }
        }
    }

    #[test]
    fn a_ring_looks_past_bad_successors_and_the_edges_are_bounded() {
        let rings = rings(200);
        let bad = rings.observed(id(0), true, |_| Standpoint::Bad);
        assert!(bad.watched.len() > RINGS && bad.watched.len() <= RINGS * RING_EDGES_MAX);
        let isolated = rings.observed(id(0), false, |_| Standpoint::Bad);
        assert_eq!(isolated.watched.len(), RINGS);
    }

    #[test]
    fn a_failed_successor_is_replaced_and_still_probed() {
        let rings = rings(50);
        let before = rings.observed(id(0), true, |_| Standpoint::Good);
        let failed = *before.watched.iter().next().expect("five are watched");
        let regard = |id| if id == failed { Standpoint::Failed } else { Standpoint::Good };
        let after = rings.observed(id(0), true, regard);
        assert_eq!(after.failed, BTreeSet::from([failed]));
        assert_eq!(after.watched.len(), RINGS);
    }
}
