//! From late to failed: accusing, weighing the accusers, and judging.
//!
//! ```text
//!   Alive ──accusation──▶ Suspect ──two accusers and time up, or two who know it gone──▶ Failed
//!     ▲                      │                                                             │
//!     └── the owner's higher incarnation ◀──────────────────────────────────────────────────┘
//! ```

use std::time::{Duration, Instant};

use super::accusers::Accusers;
use super::limits::JUDGED_AGAIN;
use super::message::Body;
use super::record::{Standing, Update};
use super::settle::Origin;
use super::suspicion::{longest, shortest, wait};
use super::{Membership, NodeId, NodeState};

/// Further accusers that can be expected: with more observers than this, two confirmations are waited for.
pub(super) const CONFIRMATIONS: usize = 2;

impl Membership {
    /// Accuses a member, telling itself first so that it can refute. `gone` if its port refuses.
    pub(super) fn accuse(&mut self, now: Instant, id: NodeId, gone: bool) {
        let Some(member) = self.table.get(id).filter(|member| member.state().is_visible()) else { return };
        let (generation, incarnation) = (member.record.generation, member.record.standing.incarnation);
        let to = member.record.profile.addr;
        let (accusers, degraded) = (Accusers::one(self.me, gone), member.record.standing.degraded);
        let standing = Standing { incarnation, state: NodeState::Suspect, accusers, degraded };
        if let Some(member) = self.table.get_mut(id) {
            member.local_mut().told = Some(now);
        }
        self.send_bare(to, Body::YouAre { state: NodeState::Suspect, generation, incarnation });
        self.merge(now, Update::Brief { id, generation, standing }, Origin::Here);
    }

    /// Whether this node's accusation of the member's present incarnation stands already.
    pub(super) fn accused_here(&self, id: NodeId) -> bool {
        self.table.get(id).is_some_and(|member| member.record.standing.accusers.contains(self.me))
    }

    /// A suspicion is new or has gained an accuser: when is it to be judged?
    pub(super) fn weigh(&mut self, now: Instant, id: NodeId, origin: Origin) {
        let Some(member) = self.table.get(id) else { return };
        let gone = member.record.standing.accusers.gone();
        // What a sync brings may be old: it has the time of a suspicion to be refuted.
        let fresh = !matches!(origin, Origin::Page { .. });
        if (fresh && gone >= 2) || (gone == 1 && self.accused_here(id) && self.is_only_observer(id)) {
            self.fail(now, id);
            return;
        }
        let since = self.isolation.alone_since().unwrap_or(now);
        let started = self.suspicions.started(id).unwrap_or(since);
        // Looked at from the least time on: how long it has to be changes with who else is still there to confirm it.
        let shortest = started + shortest(self.config.suspicion_min, self.table.live());
        self.suspicions.judge_at(id, started, shortest.max(now));
        if gone > 0 && fresh && !self.accused_here(id) {
            // One who knows it gone is to be confirmed or refuted by another, and the sooner the better.
            self.ask_by_stream_at_once(now, id);
        }
    }

    /// Judges the suspects whose time is up.
    pub(super) fn judge_suspects(&mut self, now: Instant) {
        for id in self.suspicions.due(now) {
            self.judge(now, id);
        }
    }

    fn judge(&mut self, now: Instant, id: NodeId) {
        let Some(started) = self.suspicions.started(id) else { return };
        if let Some(until) = self.judging_paused_until(now) {
            self.suspicions.judge_at(id, started, until);
            return;
        }
        let due = started + self.suspicion_wait(id);
        let accusers = self.table.get(id).map_or(0, |member| member.record.standing.accusers.len());
        if due > now {
            self.suspicions.judge_at(id, started, due.min(now + JUDGED_AGAIN));
        } else if accusers >= 2 || (self.accused_here(id) && self.is_only_observer(id)) {
            self.fail(now, id);
        } else {
            // One accuser convicts nobody: wait for a second, for the owner, or for the others to be gone too.
            self.suspicions.judge_at(id, started, now + self.config.heartbeat);
        }
    }

    fn fail(&mut self, now: Instant, id: NodeId) {
        let alone = self.table.get(id).is_some_and(|member| member.record.standing.accusers.len() < 2);
        if let Some(transition) = self.table.fail(now, id, alone, &mut self.rng) {
            self.settle(now, &transition, Origin::Here);
        }
    }

    fn suspicion_wait(&self, id: NodeId) -> Duration {
        let live_accusers = self.table.get(id).map_or(0, |member| {
            let accusers = member.record.standing.accusers.iter();
            accusers.filter(|accuser| self.is_alive(accuser.id)).count()
        });
        let observers = 1 + self.others_alive(id, CONFIRMATIONS);
        let expected = (observers - 1).min(CONFIRMATIONS);
        let confirmations = live_accusers.saturating_sub(1);
        wait(self.config.suspicion_min, self.table.live(), confirmations, expected)
    }

    /// The time after which a lone node's word stands.
    pub(super) fn longest_wait(&self) -> Duration {
        longest(self.config.suspicion_min, self.table.live())
    }

    /// Nobody but this node can observe the member: there are only the two, or all others are gone or silent.
    pub(super) fn is_only_observer(&self, id: NodeId) -> bool {
        !self.table.roster.iter().any(|other| other != id && self.is_well(other))
    }

    /// Members other than this node and `id` that are alive, counted up to `enough`.
    fn others_alive(&self, id: NodeId, enough: usize) -> usize {
        self.table.roster.iter().filter(|&other| other != id && self.is_alive(other)).take(enough).count()
    }

    fn is_alive(&self, id: NodeId) -> bool {
        self.table.state(id) == Some(NodeState::Alive)
    }
}
