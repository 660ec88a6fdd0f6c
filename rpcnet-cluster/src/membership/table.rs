//! Everything known of the cluster, and the one place where it changes.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::limits::{FAILED_REMEMBERED, LEFT_REMEMBERED, MEMBERS_MAX, TOMBSTONES_MAX};
use super::member::Member;
use super::message::{BUCKETS, hash};
use super::record::{Change, Record, Update};
use super::rings::Rings;
use super::roster::Roster;
use super::{Generation, Incarnation, Node, NodeId, NodeState};

/// The members, and the orders and hashes derived from them.
///
/// Invariant: `roster` holds the visible members except `me`; `rings` those that have not left; `buckets` the XOR of
/// the members' hashes.
#[derive(Debug)]
pub(crate) struct Table {
    me: NodeId,
    members: BTreeMap<NodeId, Member>,
    pub(crate) roster: Roster,
    pub(crate) rings: Rings,
    buckets: Box<[u64; BUCKETS]>,
    /// The XOR of all buckets, which every packet carries.
    root: u64,
    tombstones: Tombstones,
    /// Records refused because the table is full.
    pub(crate) refused: u64,
}

/// A change that took place, with what was held before.
#[derive(Clone, Debug)]
pub(crate) struct Transition {
    pub(crate) id: NodeId,
    pub(crate) change: Change,
    pub(crate) before: Option<Before>,
}

/// A member before a change.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) state: NodeState,
    pub(crate) node: Node,
    /// This node was among its accusers, and whether by positive evidence.
    pub(crate) accused_here: bool,
    pub(crate) gone_here: bool,
}

impl Table {
    /// A table in which only this node is.
    pub(crate) fn new(me: Record) -> Self {
        let mut table = Self {
            me: me.id,
            members: BTreeMap::new(),
            roster: Roster::default(),
            rings: Rings::default(),
            buckets: Box::new([0; BUCKETS]),
            root: 0,
            tombstones: Tombstones::default(),
            refused: 0,
        };
        table.add(Member::new(me, None), &mut Rng::with_seed(0));
        table
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// Local facts may be changed in place; the record only by [`Table::apply`].
    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Member> {
        self.members.get_mut(&id)
    }

    pub(crate) fn me(&self) -> &Member {
        self.members.get(&self.me).expect("this node's own record is inserted first and never removed")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Member)> + '_ {
        self.members.iter().map(|(&id, member)| (id, member))
    }

    pub(crate) fn state(&self, id: NodeId) -> Option<NodeState> {
        self.members.get(&id).map(Member::state)
    }

    /// Visible members, this node included.
    pub(crate) fn live(&self) -> usize {
        self.roster.len() + 1
    }

    pub(crate) fn root(&self) -> u64 {
        self.root
    }

    pub(crate) fn buckets(&self) -> &[u64; BUCKETS] {
        &self.buckets
    }

    /// Merges news in. `None` when it changed nothing.
    pub(crate) fn apply(&mut self, now: Instant, update: &Update, rng: &mut Rng) -> Option<Transition> {
        let id = update.id();
        if !self.members.contains_key(&id) {
            return self.insert(now, update, rng);
        }
        let me = self.me;
        let member = self.members.get_mut(&id)?;
        let (before, hash) = (held(member, me), member.hash());
        let change = merge(member, update);
        if !change.any() {
            return None;
        }
        let after = member.state();
        if after != before.state || change.generation {
            member.since = Some(now);
        }
        let hashes = (hash, member.hash());
        self.rehash(id, hashes);
        self.place(id, Some(before.state), after, rng);
        Some(Transition { id, change, before: Some(before) })
    }

    fn insert(&mut self, now: Instant, update: &Update, rng: &mut Rng) -> Option<Transition> {
        let Update::Full(record) = update else { return None };
        if self.tombstones.covers(record) {
            return None;
        }
        if self.members.len() >= MEMBERS_MAX {
            self.refused += 1;
            return None;
        }
        self.tombstones.remove(record.id);
        self.add(Member::new(record.clone(), Some(now)), rng);
        let change = Change { generation: true, standing: true, tags: true };
        Some(Transition { id: record.id, change, before: None })
    }

    fn add(&mut self, member: Member, rng: &mut Rng) {
        let (id, hash, state) = (member.record.id, member.hash(), member.state());
        self.members.insert(id, member);
        self.rehash(id, (None, hash));
        self.place(id, None, state, rng);
    }

    /// Judges a suspect: `Failed` by its accusers, or, `alone`, on this node's word, which then counts here only.
    pub(crate) fn fail(
        &mut self,
        now: Instant,
        id: NodeId,
        alone: bool,
        rng: &mut Rng,
    ) -> Option<Transition> {
        let me = self.me;
        let member = self.members.get_mut(&id).filter(|member| member.state() == NodeState::Suspect)?;
        let (before, hash) = (held(member, me), member.hash());
        member.condemned_here = alone;
        member.record.standing.state = NodeState::Failed;
        member.since = Some(now);
        let (hashes, after) = ((hash, member.hash()), member.state());
        self.rehash(id, hashes);
        self.place(id, Some(before.state), after, rng);
        let change = Change { standing: true, ..Change::default() };
        Some(Transition { id, change, before: Some(before) })
    }

    /// Puts a member where its new state belongs.
    fn place(&mut self, id: NodeId, was: Option<NodeState>, is: NodeState, rng: &mut Rng) {
        let in_rings = |state| state != NodeState::Left;
        match (was.is_some_and(in_rings), in_rings(is)) {
            (false, true) => self.rings.insert(id),
            (true, false) => self.rings.remove(id),
            _ => {}
        }
        if id == self.me {
            return;
        }
        match (was.is_some_and(NodeState::is_visible), is.is_visible()) {
            (false, true) => self.roster.insert(id, rng),
            (true, false) => self.roster.remove(id),
            _ => {}
        }
    }

    fn rehash(&mut self, id: NodeId, (old, new): (Option<u64>, Option<u64>)) {
        let difference = old.unwrap_or(0) ^ new.unwrap_or(0);
        self.buckets[bucket_of(id)] ^= difference;
        self.root ^= difference;
    }

    /// Forgets members that failed or left long ago, keeping their versions.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let forgotten = |member: &Member| {
            let age = member.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            match member.state() {
                NodeState::Failed => age >= FAILED_REMEMBERED,
                NodeState::Left => age >= LEFT_REMEMBERED,
                NodeState::Alive | NodeState::Suspect => false,
            }
        };
        let me = self.me;
        let gone: Vec<_> =
            self.iter().filter(|&(id, m)| id != me && forgotten(m)).map(|(id, _)| id).collect();
        for id in gone {
            if let Some(member) = self.members.remove(&id) {
                self.rehash(id, (member.hash(), None));
                self.rings.remove(id);
                self.tombstones.add(&member.record);
            }
        }
    }
}

fn merge(member: &mut Member, update: &Update) -> Change {
    let (generation, incarnation) = (member.record.generation, member.record.standing.incarnation);
    let change = match update {
        Update::Full(record) => member.record.merge(record),
        // Without the profile of that generation a standing is of no use; a sync brings both.
        Update::Brief { generation: other, .. } if *other != generation => Change::default(),
        Update::Brief { standing, .. } => {
            Change { standing: member.record.standing.merge(standing), ..Change::default() }
        }
    };
    let raised = member.record.standing.incarnation > incarnation;
    if change.generation || raised {
        member.condemned_here = false;
        member.link_down &= !change.generation;
    }
    change
}

fn held(member: &Member, me: NodeId) -> Before {
    let accusers = &member.record.standing.accusers;
    Before {
        state: member.state(),
        node: member.record.node(),
        accused_here: accusers.contains(me),
        gone_here: accusers.iter().any(|accuser| accuser.id == me && accuser.gone),
    }
}

/// Which bucket an id belongs to. Hashed, because ids given by operators may share any of their bytes.
pub(crate) fn bucket_of(id: NodeId) -> usize {
    hash(0x6275_636b_6574, &id.to_bytes()) as usize % BUCKETS
}

/// The versions of forgotten members, so that nobody comes back on old evidence (hashicorp/memberlist#312).
#[derive(Debug, Default)]
struct Tombstones {
    versions: BTreeMap<NodeId, (Generation, Incarnation)>,
    order: VecDeque<NodeId>,
}

impl Tombstones {
    fn add(&mut self, record: &Record) {
        self.remove(record.id);
        if self.order.len() >= TOMBSTONES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.versions.remove(&oldest);
        }
        self.versions.insert(record.id, (record.generation, record.standing.incarnation));
        self.order.push_back(record.id);
    }

    fn covers(&self, record: &Record) -> bool {
        let version = (record.generation, record.standing.incarnation);
        self.versions.get(&record.id).is_some_and(|&held| version <= held)
    }

    fn remove(&mut self, id: NodeId) {
        if self.versions.remove(&id).is_some() {
            self.order.retain(|&held| held != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::record::{Profile, Standing};
    use crate::membership::tags::Tags;
    use std::net::SocketAddr;
    use uuid::Uuid;

    fn record(number: u128, generation: u64) -> Record {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        Record {
            id: NodeId::new(Uuid::from_u128(number)),
            generation: Generation(generation),
            standing: Standing::alive(Incarnation(0)),
            profile: Profile { addr, rpc_addr: None, label: "".into(), capacity: 0 },
            tags: Tags::default(),
        }
    }

    fn left(number: u128) -> Update {
        let mut record = record(number, 1);
        record.standing.state = NodeState::Left;
        Update::Full(record)
    }

    #[test]
    fn nobody_comes_back_on_old_evidence_after_being_forgotten() {
        let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
        let mut table = Table::new(record(0, 1));
        assert!(table.apply(now, &Update::Full(record(1, 1)), &mut rng).is_some());
        table.apply(now, &left(1), &mut rng);
        let later = now + LEFT_REMEMBERED;
        table.sweep(later);
        let id = NodeId::new(Uuid::from_u128(1));
        assert!(table.get(id).is_none(), "forgotten after an hour");
        assert!(
            table.apply(later, &Update::Full(record(1, 1)), &mut rng).is_none(),
            "the old process stays gone"
        );
        assert!(table.apply(later, &Update::Full(record(1, 2)), &mut rng).is_some(), "a new one is welcome");
    }

    #[test]
    fn the_derived_orders_and_hashes_follow_the_members() {
        let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
        let mut table = Table::new(record(0, 1));
        let (root, live) = (table.root(), table.live());
        table.apply(now, &Update::Full(record(1, 1)), &mut rng);
        assert_ne!(table.root(), root);
        assert_eq!(table.live(), live + 1);
        table.apply(now, &left(1), &mut rng);
        assert_eq!((table.root(), table.live()), (root, live), "a member that left is no difference");
        assert!(table.rings.predecessors(table.me).is_empty());
    }

    #[test]
    fn tombstones_are_bounded_and_the_oldest_goes_first() {
        let mut tombstones = Tombstones::default();
        (0..=TOMBSTONES_MAX as u128).for_each(|number| tombstones.add(&record(number, 1)));
        assert_eq!(tombstones.order.len(), TOMBSTONES_MAX);
        assert!(!tombstones.covers(&record(0, 1)));
        assert!(tombstones.covers(&record(1, 1)));
    }
}
