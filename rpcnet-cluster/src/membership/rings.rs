//! Who observes whom: each ring is its own hash order of the ids, and a node observes its successors (Rapid §4.1).
//!
//! Fixed observers are what makes a φ possible at a cost that does not grow with the cluster: a random prober meets
//! one given peer once in N periods and has no history of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use super::NodeId;
use super::limits::{EDGES_MAX, RINGS};
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
    /// Suspected by this node and by as many others as a verdict waits for: there is nothing left to find out.
    Accused,
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
            self.first(ring, me, &mut observed, &mut regard);
        }
        if look_ahead {
            self.look_ahead(me, &mut observed, &mut regard);
        }
        observed
    }

    /// Takes the first successor that is not failed and not taken yet.
    fn first(
        &self,
        ring: usize,
        me: NodeId,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) {
        let mut first_failed = true;
        for id in self.successors(ring, me) {
            if matches!(regard(id), Standpoint::FailedLately | Standpoint::Failed) {
                if std::mem::take(&mut first_failed) {
                    observed.failed.insert(id);
                }
            } else if observed.watched.insert(id) {
                return;
            }
        }
    }

    /// Widens each ring that has seen nothing good by 1, 2, 4 … members, all rings in turn, until all together have used
    /// up the edges. The runs of bad successors differ much in length: were each ring given an eighth part, a node of a
    /// small side would leave its long runs half seen and its short ones' share unused.
    fn look_ahead(&self, me: NodeId, observed: &mut Observed, regard: &mut impl FnMut(NodeId) -> Standpoint) {
        let walk = |ring| Walk { successors: self.successors(ring, me), seen: 0, good: false };
        let mut walks: Vec<_> = (0..RINGS).map(walk).collect();
        let (mut wanted, mut faster) = (1, 2);
        while !walks.is_empty() && observed.watched.len() < EDGES_MAX {
            walks.retain_mut(|walk| walk.widen(wanted, observed, regard));
            // Most rings meet something bad at once: that is no single host. Each step waits for somebody to be late.
            faster = if wanted == 1 && walks.len() * 2 > RINGS { 4 } else { faster };
            wanted *= faster;
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

/// One ring's look-ahead.
struct Walk<I> {
    successors: I,
    /// Members passed, with those that failed of late or are surely about to: they show how far the trouble may reach, and
    /// cost nothing.
    seen: usize,
    good: bool,
}

impl<I: Iterator<Item = NodeId>> Walk<I> {
    /// Goes on until it has seen so many; `false` when there is no reason or no room to go further.
    fn widen(
        &mut self,
        wanted: usize,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) -> bool {
        while self.seen < wanted {
            let Some(id) = self.successors.next() else { return false };
            match regard(id) {
                Standpoint::Failed => continue,
                Standpoint::FailedLately | Standpoint::Accused => {}
                standpoint => {
                    if observed.watched.len() >= EDGES_MAX && !observed.watched.contains(&id) {
                        return false;
                    }
                    observed.watched.insert(id);
                    self.good |= standpoint == Standpoint::Good;
                }
            }
            self.seen += 1;
        }
        !self.good
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
        assert!(bad.watched.len() > RINGS && bad.watched.len() <= EDGES_MAX);
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

    #[test]
    fn a_long_run_of_bad_successors_is_looked_past_with_what_other_rings_do_not_need() {
        let rings = rings(200);
        // Twelve bad ones in a row in one ring; an eighth of the edges would end within them.
        let run: Vec<_> = rings.successors(0, id(0)).take(12).collect();
        let regard = |id| if run.contains(&id) { Standpoint::Bad } else { Standpoint::Good };
        let observed = rings.observed(id(0), true, regard);
        assert!(run.iter().all(|id| observed.watched.contains(id)), "{} of 12", observed.watched.len());
    }

    #[test]
    fn those_of_whom_all_is_known_take_no_edges_from_those_behind_them() {
        let rings = rings(200);
        let run: Vec<_> = rings.successors(0, id(0)).take(50).collect();
        let regard = |id| match run.iter().position(|&bad| bad == id) {
            Some(0..48) => Standpoint::Accused,
            Some(_) => Standpoint::Bad,
            None => Standpoint::Good,
        };
        let observed = rings.observed(id(0), true, regard);
        assert!(run[48..].iter().all(|id| observed.watched.contains(id)));
        assert!(observed.watched.len() <= EDGES_MAX);
    }
}
