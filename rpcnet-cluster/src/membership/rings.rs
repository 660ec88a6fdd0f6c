//! Who observes whom: each ring is its own hash order of the ids, and a node observes its successors (Rapid §4.1).
//!
//! Fixed observers are what makes a φ possible at a cost that does not grow with the cluster: a random prober meets
//! one given peer once in N periods and has no history of it.

use std::collections::{BTreeMap, BTreeSet};

use super::NodeId;
use super::limits::{EDGES_MAX, RINGS};
use super::message::hash;

/// Salt of the rings' orders; ring `r` uses the salt plus `r`.
const RING_SALT: u64 = 0x7269_6e67_0000;
/// Successors kept of each ring at first: more than look-ahead takes while no whole part of the cluster fails.
const NEAR: usize = 64;
/// Each time a walk comes to the end of what is kept, it is so many times as much.
const FARTHER: usize = 4;

/// The members after this node in five orders, as far as anybody has looked: in a cluster of ten thousand a node keeps
/// 320 of them, not five orders of all.
#[derive(Debug)]
pub(crate) struct Rings {
    me: NodeId,
    rings: [Ring; RINGS],
}

/// One order, which begins after this node and goes once around.
#[derive(Debug)]
struct Ring {
    /// Where this node stands.
    here: u64,
    /// The nearest, in order, with how far behind this node they stand.
    near: Vec<(u64, NodeId)>,
    /// How many are kept at most.
    reach: usize,
    /// There are others behind the last of `near`.
    more: bool,
}

/// A walk has come to the end of what its ring keeps: see [`Rings::look_farther`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfSight;

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
    pub(crate) fn new(me: NodeId) -> Self {
        let ring = |ring| Ring { here: place(ring, me), near: Vec::new(), reach: NEAR, more: false };
        Self { me, rings: std::array::from_fn(ring) }
    }

    /// Takes in a member that is in no ring yet.
    pub(crate) fn insert(&mut self, id: NodeId) {
        if id == self.me {
            return;
        }
        for (ring, order) in self.rings.iter_mut().enumerate() {
            order.insert(order.far(ring, id), id);
        }
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        for (ring, order) in self.rings.iter_mut().enumerate() {
            if let Ok(index) = order.near.binary_search(&(order.far(ring, id), id)) {
                order.near.remove(index);
            }
        }
    }

    /// Keeps more of each ring; `members` are all that belong in them.
    pub(crate) fn look_farther(&mut self, members: impl Iterator<Item = NodeId> + Clone) {
        for (ring, order) in self.rings.iter_mut().enumerate() {
            let all = members.clone().filter(|&id| id != self.me);
            let mut all: Vec<_> = all.map(|id| (order.far(ring, id), id)).collect();
            all.sort_unstable();
            order.reach *= FARTHER;
            order.more = all.len() > order.reach;
            all.truncate(order.reach);
            order.near = all;
        }
    }

    /// The members that this node observes: in each ring the first good successor that no other ring has taken, and what
    /// lies before it. Without `look_ahead` only the first of each ring.
    pub(crate) fn observed(
        &self,
        look_ahead: bool,
        regard: impl Fn(NodeId) -> Standpoint,
    ) -> Result<Observed, OutOfSight> {
        let mut observed = Observed::default();
        // First choices of all rings come before anyone's look-ahead, or the first ring would take the others' places.
        let mut regarded = BTreeMap::new();
        let mut regard = |id| *regarded.entry(id).or_insert_with(|| regard(id));
        for ring in &self.rings {
            ring.first(&mut observed, &mut regard)?;
        }
        if look_ahead {
            self.look_ahead(&mut observed, &mut regard)?;
        }
        Ok(observed)
    }

    /// Widens each ring that has seen nothing good by 1, 2, 4 … members, all rings in turn, until all together have used
    /// up the edges. The runs of bad successors differ much in length: were each ring given an eighth part, a node of a
    /// small side would leave its long runs half seen and its short ones' share unused.
    fn look_ahead(
        &self,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) -> Result<(), OutOfSight> {
        let mut walks: Vec<_> =
            self.rings.iter().map(|ring| Walk { ring, passed: 0, seen: 0, good: false }).collect();
        let (mut wanted, mut faster) = (1, 2);
        while !walks.is_empty() && observed.watched.len() < EDGES_MAX {
            let mut on = Vec::with_capacity(walks.len());
            for mut walk in walks {
                if walk.widen(wanted, observed, regard)? {
                    on.push(walk);
                }
            }
            walks = on;
            // Most rings meet something bad at once: that is no single host. Each step waits for somebody to be late.
            faster = if wanted == 1 && walks.len() * 2 > RINGS { 4 } else { faster };
            wanted *= faster;
        }
        Ok(())
    }

    /// Those before this node among `members`, one a ring: its observers, as far as the rings are settled.
    pub(crate) fn predecessors(&self, members: impl Iterator<Item = NodeId> + Clone) -> BTreeSet<NodeId> {
        let others = members.filter(|&id| id != self.me);
        let last = |(ring, order): (usize, &Ring)| others.clone().max_by_key(|&id| (order.far(ring, id), id));
        self.rings.iter().enumerate().filter_map(last).collect()
    }
}

impl Ring {
    /// How far behind this node a member stands; that of ring `ring`.
    fn far(&self, ring: usize, id: NodeId) -> u64 {
        place(ring, id).wrapping_sub(self.here)
    }

    fn insert(&mut self, far: u64, id: NodeId) {
        let index = self.near.partition_point(|&held| held < (far, id));
        if index == self.near.len() && self.more {
            return;
        }
        self.near.insert(index, (far, id));
        if self.near.len() > self.reach {
            self.near.pop();
            self.more = true;
        }
    }

    /// The successor behind so many others; `None` once around.
    fn get(&self, index: usize) -> Result<Option<NodeId>, OutOfSight> {
        match self.near.get(index) {
            None if self.more => Err(OutOfSight),
            held => Ok(held.map(|&(_, id)| id)),
        }
    }

    /// Takes the first successor that is not failed and not taken yet.
    fn first(
        &self,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) -> Result<(), OutOfSight> {
        let (mut index, mut first_failed) = (0, true);
        while let Some(id) = self.get(index)? {
            if matches!(regard(id), Standpoint::FailedLately | Standpoint::Failed) {
                if std::mem::take(&mut first_failed) {
                    observed.failed.insert(id);
                }
            } else if observed.watched.insert(id) {
                return Ok(());
            }
            index += 1;
        }
        Ok(())
    }
}

/// One ring's look-ahead.
struct Walk<'a> {
    ring: &'a Ring,
    /// Successors met.
    passed: usize,
    /// Of these those that count, with those that failed of late or are surely about to: they show how far the trouble may
    /// reach, and cost nothing.
    seen: usize,
    good: bool,
}

impl Walk<'_> {
    /// Goes on until it has seen so many; `false` when there is no reason or no room to go further.
    fn widen(
        &mut self,
        wanted: usize,
        observed: &mut Observed,
        regard: &mut impl FnMut(NodeId) -> Standpoint,
    ) -> Result<bool, OutOfSight> {
        while self.seen < wanted {
            let Some(id) = self.ring.get(self.passed)? else { return Ok(false) };
            self.passed += 1;
            match regard(id) {
                Standpoint::Failed => continue,
                Standpoint::FailedLately | Standpoint::Accused => {}
                standpoint => {
                    if observed.watched.len() >= EDGES_MAX && !observed.watched.contains(&id) {
                        return Ok(false);
                    }
                    observed.watched.insert(id);
                    self.good |= standpoint == Standpoint::Good;
                }
            }
            self.seen += 1;
        }
        Ok(!self.good)
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

    fn rings_of(me: NodeId, nodes: u128) -> Rings {
        let mut rings = Rings::new(me);
        (0..nodes).for_each(|number| rings.insert(id(number)));
        rings
    }

    fn rings(nodes: u128) -> Rings {
        rings_of(id(0), nodes)
    }

    /// As a node does: whoever sees too little looks farther.
    fn observed(
        rings: &mut Rings,
        members: &BTreeSet<NodeId>,
        look_ahead: bool,
        regard: impl Fn(NodeId) -> Standpoint,
    ) -> Observed {
        loop {
            match rings.observed(look_ahead, &regard) {
                Ok(observed) => return observed,
                Err(OutOfSight) => rings.look_farther(members.iter().copied()),
            }
        }
    }

    fn successors(rings: &Rings, ring: usize, count: usize) -> Vec<NodeId> {
        rings.rings[ring].near.iter().take(count).map(|&(_, id)| id).collect()
    }

    #[test]
    fn a_node_observes_min_of_five_and_all_others() {
        for (nodes, expected) in [(1, 0), (2, 1), (3, 2), (5, 4), (6, 5), (50, 5)] {
            let observed = rings(nodes).observed(true, |_| Standpoint::Good).unwrap();
            assert_eq!(observed.watched.len(), expected, "of {nodes}");
        }
    }

    #[test]
    fn every_node_has_at_least_two_observers() {
        for nodes in [3, 6, 7, 10, 40] {
            for subject in (0..nodes).map(id) {
                let observes = |&observer: &NodeId| {
                    let observed = rings_of(observer, nodes).observed(false, |_| Standpoint::Good);
                    observed.unwrap().watched.contains(&subject)
                };
                let observers = (0..nodes).map(id).filter(|&observer| observer != subject).filter(observes);
                assert!(observers.count() >= 2, "{subject:?} of {nodes}");
            }
        }
    }

    #[test]
    fn a_ring_looks_past_bad_successors_and_the_edges_are_bounded() {
        let rings = rings(200);
        let bad = rings.observed(true, |_| Standpoint::Bad).unwrap();
        assert!(bad.watched.len() > RINGS && bad.watched.len() <= EDGES_MAX);
        let isolated = rings.observed(false, |_| Standpoint::Bad).unwrap();
        assert_eq!(isolated.watched.len(), RINGS);
    }

    #[test]
    fn a_failed_successor_is_replaced_and_still_probed() {
        let rings = rings(50);
        let before = rings.observed(true, |_| Standpoint::Good).unwrap();
        let failed = *before.watched.iter().next().expect("five are watched");
        let regard = |id| if id == failed { Standpoint::Failed } else { Standpoint::Good };
        let after = rings.observed(true, regard).unwrap();
        assert_eq!(after.failed, BTreeSet::from([failed]));
        assert_eq!(after.watched.len(), RINGS);
    }

    #[test]
    fn a_long_run_of_bad_successors_is_looked_past_with_what_other_rings_do_not_need() {
        let rings = rings(200);
        // Twelve bad ones in a row in one ring; an eighth of the edges would end within them.
        let run = successors(&rings, 0, 12);
        let regard = |id| if run.contains(&id) { Standpoint::Bad } else { Standpoint::Good };
        let observed = rings.observed(true, regard).unwrap();
        assert!(run.iter().all(|id| observed.watched.contains(id)), "{} of 12", observed.watched.len());
    }

    #[test]
    fn those_of_whom_all_is_known_take_no_edges_from_those_behind_them() {
        let rings = rings(200);
        let run = successors(&rings, 0, 50);
        let regard = |id| match run.iter().position(|&bad| bad == id) {
            Some(0..48) => Standpoint::Accused,
            Some(_) => Standpoint::Bad,
            None => Standpoint::Good,
        };
        let observed = rings.observed(true, regard).unwrap();
        assert!(run[48..].iter().all(|id| observed.watched.contains(id)));
        assert!(observed.watched.len() <= EDGES_MAX);
    }

    #[test]
    fn what_is_kept_of_a_ring_shows_the_same_as_all_of_it() {
        let mut rng = fastrand::Rng::with_seed(7);
        let regards = [
            Standpoint::Good,
            Standpoint::Bad,
            Standpoint::Accused,
            Standpoint::FailedLately,
            Standpoint::Failed,
        ];
        for _ in 0..50 {
            let (mut members, mut kept) = (BTreeSet::new(), Rings::new(id(0)));
            for _ in 0..rng.usize(1..1_500) {
                let member = id(rng.u128(1..800));
                if members.insert(member) {
                    kept.insert(member);
                } else {
                    members.remove(&member);
                    kept.remove(member);
                }
            }
            // From all good to nearly all failed: then a walk goes far.
            let (salt, bad) = (rng.u64(..), rng.u64(1..200));
            let regard = |id: NodeId| {
                let drawn = hash(salt, &id.to_bytes());
                if drawn % 200 >= bad { Standpoint::Good } else { regards[1 + drawn as usize / 200 % 4] }
            };
            let mut whole = Rings::new(id(0));
            whole.rings.iter_mut().for_each(|ring| ring.reach = usize::MAX);
            members.iter().for_each(|&member| whole.insert(member));
            for look_ahead in [false, true] {
                let all = whole.observed(look_ahead, regard).unwrap();
                assert_eq!(observed(&mut kept, &members, look_ahead, regard), all, "of {}", members.len());
            }
        }
    }

    #[test]
    fn a_node_keeps_little_of_a_large_cluster() {
        let rings = rings(5_000);
        assert!(rings.rings.iter().all(|ring| ring.near.len() == NEAR && ring.more));
    }

    #[test]
    fn those_before_a_node_are_those_that_it_is_the_first_for() {
        let members: BTreeSet<_> = (0..40).map(id).collect();
        let before = rings(40).predecessors(members.iter().copied());
        let first =
            |&member: &NodeId| (0..RINGS).any(|ring| successors(&rings_of(member, 40), ring, 1) == [id(0)]);
        assert_eq!(before, members.into_iter().filter(first).collect());
    }
}
