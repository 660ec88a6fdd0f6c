//! What membership tells of sides and cuts (`partition/`), and what follows from its verdicts.

use std::time::{Duration, Instant};

use super::edge::Edge;
use super::message::{Body, Envelope, hash};
use super::{Config, Membership, Node, NodeId, NodeState, Output};
use crate::partition::{Noted, Partition, Quorum, QuorumRule, Sight, Verdict, Word, oldest};

/// A node sicker than this does not judge what a loss means: it is late itself.
const HEALTHY: u8 = 4;

/// Who has not answered for so long, though nobody accuses it, is not counted on.
const SILENT_AFTER: Duration = Duration::from_secs(3);

/// Who was heard so lately was not silent for as long as a verdict takes.
const HEARD_LATELY: Duration = Duration::from_secs(2);

pub(super) fn partition_of(config: &Config, me: NodeId) -> Partition {
    let settings = (config.quorum.clone(), config.partition_threshold, config.reconciles);
    Partition::new(settings, me, hash_of(me))
}

fn hash_of(id: NodeId) -> u16 {
    hash(0x7369_6465, &id.to_bytes()) as u16
}

impl Membership {
    /// A member's state may have changed.
    pub(super) fn note_side(&mut self, now: Instant, id: NodeId, was: Option<NodeState>) {
        let Some(member) = self.table.get(id) else { return };
        let is = member.state();
        if was == Some(is) {
            return;
        }
        let crashed = member.record.standing.accusers.gone() > 0;
        let counts = self.counts(|key| member.record.tags.map.get(key).map(String::as_str));
        let addr = member.record.profile.addr;
        self.partition.note(now, &Noted { id, was, is, crashed, counts, addr }, hash_of(id));
    }

    /// What a packet says of its sender's side, if this node observes the sender.
    pub(super) fn hear_side(&mut self, now: Instant, envelope: &Envelope) {
        if self.edges.contains_key(&envelope.from) {
            let Envelope { side, root, minority, .. } = *envelope;
            self.partition.heard(now, envelope.from, Word { side, root, minority });
        }
    }

    /// Whether a verdict on a member that was heard a moment ago may be the other side's, while a split heals.
    pub(super) fn may_be_of_other_side(&self, now: Instant, id: NodeId) -> bool {
        let heard = self.table.get(id).and_then(|member| member.local().heard);
        let lately = heard.is_some_and(|at| now.saturating_duration_since(at) < HEARD_LATELY);
        self.partition.misses_anybody() && lately
    }

    /// After every input.
    pub(super) fn look_for_cuts(&mut self, now: Instant) {
        let cut_off = self.isolation.is_silent();
        let late = |edge: &Edge| edge.late.is_some() || edge.is_silent_for(now, SILENT_AFTER);
        let some_late = self.edges.values().any(late);
        if !self.partition.is_due(now, cut_off, some_late) {
            return;
        }
        let mut partition = std::mem::take(&mut self.partition);
        let (observed, silent, table) = (self.observed(), self.silent(now), &self.table);
        let visible = || {
            let there = table.iter().filter(|(_, member)| member.state().is_visible());
            there
                .map(|(id, member)| {
                    (id, self.counts(|key| member.record.tags.map.get(key).map(String::as_str)))
                })
                .collect()
        };
        let mut rng = self.rng.clone();
        let healthy = self.health.value() <= HEALTHY && self.clock.grace(now).is_none();
        let sight = Sight {
            me: self.me,
            cut_off,
            astray: self.seeds.are_unmet(self.table.mine().profile.addr),
            healthy,
            root: table.root(),
            observed: &observed,
            silent: &silent,
            visible: &visible,
        };
        partition.drive(now, &sight, &mut rng);
        (self.partition, self.rng) = (partition, rng);
        self.obey(now);
    }

    fn obey(&mut self, now: Instant) {
        while let Some(verdict) = self.partition.poll() {
            match verdict {
                Verdict::Event(event) => self.outputs.push_back(Output::Event(event)),
                Verdict::Contact(missing) => {
                    for to in missing {
                        let nonce = self.rng.u64(..);
                        self.send_bare(to, Body::Ping { nonce });
                    }
                    self.seeds.hasten(now);
                }
            }
        }
    }

    fn observed(&self) -> Vec<NodeId> {
        let visible = |id: &NodeId| self.table.state(*id).is_some_and(NodeState::is_visible);
        self.edges.keys().copied().filter(visible).collect()
    }

    fn silent(&self, now: Instant) -> Vec<NodeId> {
        let silent = self.edges.iter().filter(|(_, edge)| edge.is_silent_for(now, SILENT_AFTER));
        let visible = |id: &NodeId| self.table.state(*id).is_some_and(NodeState::is_visible);
        silent.map(|(&id, _)| id).filter(visible).collect()
    }

    fn counts<'a>(&self, tag: impl Fn(&str) -> Option<&'a str>) -> bool {
        match &self.config.quorum {
            QuorumRule::Tagged { key, value } => tag(key) == Some(value),
            _ => true,
        }
    }

    /// Whether this node is on a side that may go on as the cluster.
    pub fn quorum(&self) -> Quorum {
        self.partition.quorum()
    }

    /// The oldest visible node with this tag, and with this value if one is given, while the quorum is held and the views of
    /// this node and of two thirds of those it observes agree.
    pub fn leader(&self, key: &str, value: Option<&str>) -> Option<Node> {
        let certain = self.quorum().held && self.partition.agrees(&self.observed());
        if certain { oldest(self.visible(), key, value) } else { None }
    }

    /// Whether a node is there and answers this one, as far as is known. This node reaches itself.
    pub fn can_reach(&self, id: NodeId) -> bool {
        let Some(member) = self.table.get(id).filter(|member| member.state().is_visible()) else {
            return false;
        };
        let late = self.edges.get(&id).is_some_and(|edge| edge.late.is_some());
        id == self.me || (!member.local().link_down && !late && !self.isolation.is_silent())
    }

    /// The application has reconciled what the sides of a split wrote: the split is healed. Ignored unless
    /// [`Config::reconciles`] and a [`ViewsMerged`](super::ClusterEvent::ViewsMerged) is unanswered.
    pub fn reconciled(&mut self, now: Instant) {
        self.observe(now);
        self.partition.reconciled(now);
        self.obey(now);
        self.finish(now);
    }

    /// Compares notes with some random members now, in place of when a difference is noticed, and tries all seeds.
    pub fn resync(&mut self, now: Instant) {
        self.observe(now);
        for id in self.random_peers(3, |_| true) {
            if let Some(to) = self.table.get(id).map(|member| member.record.profile.addr) {
                self.sync.want(now, id, to, true);
            }
        }
        self.seeds.hasten(now);
        self.finish(now);
    }
}
