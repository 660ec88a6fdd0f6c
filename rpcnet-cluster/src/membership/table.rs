//! Everything known of the cluster, and the one place where it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::held::Held;
use super::limits::{FAILED_REMEMBERED, GONE_MAX, LEFT_REMEMBERED, MEMBERS_MAX};
use super::member::Member;
use super::message::{BUCKETS, bucket_of};
use super::pool::RecordPool;
use super::record::{Change, Record, Update};
use super::rings::Rings;
use super::roster::Roster;
use super::tombstones::Tombstones;
use super::{Generation, Incarnation, Node, NodeId, NodeState};

/// The members, and the orders and hashes derived from them.
///
/// Invariant: `roster` holds the visible members except `me`; `rings` the nearest of those that have not left; `buckets` the XOR of
/// the members' hashes.
#[derive(Debug)]
pub(crate) struct Table {
    me: NodeId,
    /// This node's own record, which is also among the members: every packet that goes out begins with it.
    mine: Held,
    members: BTreeMap<NodeId, Member>,
    /// Where this node finds and leaves records that others in this process hold too.
    pool: Option<RecordPool>,
    pub(crate) roster: Roster,
    pub(crate) rings: Rings,
    buckets: Box<[u64; BUCKETS]>,
    /// The XOR of all buckets, which every packet carries.
    root: u64,
    tombstones: Tombstones,
    /// Failed and left members, in the order in which they went.
    gone: VecDeque<NodeId>,
    /// Records refused because the table is full.
    pub(crate) refused: u64,
    /// Records refused because they are no newer than what was forgotten.
    pub(crate) covered: u64,
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
    pub(crate) fn new(me: Record, pool: Option<RecordPool>) -> Self {
        let mine = shared(pool.as_ref(), me.into());
        let mut table = Self {
            me: mine.id,
            mine: mine.clone(),
            members: BTreeMap::new(),
            pool,
            roster: Roster::default(),
            rings: Rings::new(mine.id),
            buckets: Box::new([0; BUCKETS]),
            root: 0,
            tombstones: Tombstones::default(),
            gone: VecDeque::new(),
            refused: 0,
            covered: 0,
        };
        table.add(Member::new(mine, None), &mut Rng::with_seed(0));
        table
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// Local facts may be changed in place; the record only by [`Table::apply`].
    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Member> {
        self.members.get_mut(&id)
    }

    pub(crate) fn mine(&self) -> &Held {
        &self.mine
    }

    /// The record of exactly these bytes, if it is at hand.
    pub(crate) fn recall(&self, id: NodeId, bytes: &[u8]) -> Option<Held> {
        let here = || self.members.get(&id).map(|member| &member.record);
        let here = || here().filter(|record| record.bytes() == bytes).cloned();
        match &self.pool {
            // What others hold as well is the likelier place, and spares a look into this node's own memory.
            Some(pool) => pool.find(id, bytes).or_else(here),
            None => here(),
        }
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

    /// Keeps more of the rings, which somebody has walked to the end of what is kept.
    pub(crate) fn look_farther(&mut self) {
        self.rings.look_farther(in_rings(&self.members));
    }

    /// Who observes this node, as far as the rings are settled.
    pub(crate) fn observers(&self) -> BTreeSet<NodeId> {
        self.rings.predecessors(in_rings(&self.members))
    }

    /// Merges news in. `None` when it changed nothing.
    pub(crate) fn apply(&mut self, now: Instant, update: &Update, rng: &mut Rng) -> Option<Transition> {
        let id = update.id();
        let Some(member) = self.members.get_mut(&id) else { return self.insert(now, update, rng) };
        let (record, change) = merged(&member.record, update)?;
        let before = Before::of(member, self.me);
        let hash = member.take(shared(self.pool.as_ref(), record), change);
        let after = member.state();
        if after != before.state || change.generation {
            member.since = Some(now);
        }
        let hashes = (hash, member.hash());
        self.changed(id, hashes, before.state, rng);
        Some(Transition { id, change, before: Some(before) })
    }

    fn insert(&mut self, now: Instant, update: &Update, rng: &mut Rng) -> Option<Transition> {
        let Update::Full(record) = update else { return None };
        if self.tombstones.covers(record) {
            self.covered += 1;
            return None;
        }
        if self.members.len() >= MEMBERS_MAX {
            self.forget_oldest();
        }
        if self.members.len() >= MEMBERS_MAX {
            self.refused += 1;
            return None;
        }
        self.tombstones.remove(record.id);
        let held = shared(self.pool.as_ref(), record.clone());
        self.add(Member::new(held, Some(now)), rng);
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
        let member = self.members.get_mut(&id).filter(|member| member.state() == NodeState::Suspect)?;
        let before = Before::of(member, self.me);
        let change = Change { standing: true, ..Change::default() };
        let mut record = Record::clone(&member.record);
        record.standing.state = NodeState::Failed;
        let hash = member.take(shared(self.pool.as_ref(), record.into()), change);
        if alone {
            member.local_mut().condemned_here = true;
        }
        member.since = Some(now);
        let hashes = (hash, member.hash());
        self.changed(id, hashes, before.state, rng);
        Some(Transition { id, change, before: Some(before) })
    }

    /// A member's record is another one now: what is derived from it follows.
    fn changed(&mut self, id: NodeId, hashes: (Option<u64>, Option<u64>), was: NodeState, rng: &mut Rng) {
        let Some(member) = self.members.get(&id) else { return };
        let is = member.state();
        if id == self.me {
            self.mine = member.record.clone();
        }
        self.rehash(id, hashes);
        self.place(id, Some(was), is, rng);
    }

    /// Puts a member where its new state belongs.
    fn place(&mut self, id: NodeId, was: Option<NodeState>, is: NodeState, rng: &mut Rng) {
        match (was.is_some_and(belongs_in_rings), belongs_in_rings(is)) {
            (false, true) => self.rings.insert(id),
            (true, false) => self.rings.remove(id),
            _ => {}
        }
        if id == self.me {
            return;
        }
        match (was.map(NodeState::is_visible), is.is_visible()) {
            (None, true) => self.roster.insert(id, rng),
            (Some(false), true) => {
                self.gone.retain(|&held| held != id);
                self.roster.insert(id, rng);
            }
            (Some(true), false) => {
                self.roster.remove(id);
                self.gone.push_back(id);
            }
            (None, false) => self.gone.push_back(id),
            (Some(true), true) | (Some(false), false) => {}
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
        let over = |id: &NodeId| self.members.get(id).is_some_and(forgotten);
        let (over, gone): (Vec<_>, Vec<_>) = self.gone.iter().copied().partition(over);
        self.gone = gone.into();
        over.into_iter().for_each(|id| self.forget(id));
        // A process that crashes and starts again under ever new names must not fill the table.
        while self.gone.len() > GONE_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(id) = self.gone.pop_front() {
            self.forget(id);
        }
    }

    /// Drops a member that is in `gone` no more.
    fn forget(&mut self, id: NodeId) {
        if let Some(member) = self.members.remove(&id) {
            self.rehash(id, (member.hash(), None));
            self.rings.remove(id);
            self.tombstones.add(&member.record);
        }
    }

    /// What to tell a forgotten member that still speaks with this old version.
    pub(crate) fn tell_forgotten(
        &mut self,
        now: Instant,
        id: NodeId,
        version: (Generation, Incarnation),
    ) -> Option<(Generation, Incarnation)> {
        self.tombstones.tell(now, id, version)
    }
}

/// What is held of a member once an update is taken in; `None` when that changes nothing.
fn merged(held: &Held, update: &Update) -> Option<(Held, Change)> {
    match update {
        Update::Full(other) if held == other => None,
        // The first that is heard of a new process, as it is.
        Update::Full(other) if other.generation > held.generation => {
            Some((other.clone(), Change { generation: true, standing: true, tags: true }))
        }
        Update::Full(other) => {
            let mut record = Record::clone(held);
            let change = record.merge(other);
            change.any().then(|| (record.into(), change))
        }
        // Without the profile of that generation a standing is of no use; a sync brings both.
        Update::Brief { generation, .. } if *generation != held.generation => None,
        Update::Brief { standing, .. } => {
            let mut merged = held.standing.clone();
            let change = Change { standing: merged.merge(standing), ..Change::default() };
            let record = || Record { standing: merged, ..Record::clone(held) };
            change.any().then(|| (record().into(), change))
        }
    }
}

/// The same record, shared with the other nodes of this process if they share theirs.
fn shared(pool: Option<&RecordPool>, record: Held) -> Held {
    match pool {
        Some(pool) => pool.share(record),
        None => record,
    }
}

impl Before {
    fn of(member: &Member, me: NodeId) -> Self {
        let accusers = &member.record.standing.accusers;
        Self {
            state: member.state(),
            node: member.record.node(),
            accused_here: accusers.contains(me),
            gone_here: accusers.iter().any(|accuser| accuser.id == me && accuser.gone),
        }
    }
}

/// The failed are in the rings: they are probed on, so that a healed link is noticed.
fn belongs_in_rings(state: NodeState) -> bool {
    state != NodeState::Left
}

fn in_rings(members: &BTreeMap<NodeId, Member>) -> impl Iterator<Item = NodeId> + Clone + '_ {
    members.iter().filter(|(_, member)| belongs_in_rings(member.state())).map(|(&id, _)| id)
}

#[cfg(test)]
pub(crate) mod tests;
