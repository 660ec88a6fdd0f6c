//! Heartbeats to the observed, and what happens when an answer is late (SWIM §3.1, Lifeguard §IV).

use std::time::Instant;

use super::accuse::CONFIRMATIONS;
use super::edge::{Edge, HelpRound, Late, Purpose};
use super::isolation::Step;
use super::limits::{
    FAILED_LOOK_AHEAD, HELP_EVERY, HELP_VERDICT, HELPERS, ISOLATION_ASKED, RINGS, STREAM_AFTER,
    STREAM_PROBE_TIMEOUT, STREAM_PROBES_MAX, TEMPORARY_EDGES_MAX,
};
use super::message::{Body, Request};
use super::rings::{Observed, OutOfSight, Standpoint};
use super::stream::StreamPurpose;
use super::{Membership, NodeId, NodeState};

impl Membership {
    pub(super) fn next_edge(&self) -> Option<Instant> {
        let judgement = self.judgement();
        self.edges.values().map(|edge| edge.next_timeout(&judgement)).min()
    }

    pub(super) fn drive_edges(&mut self, now: Instant) {
        let judgement = self.judgement();
        let due = |edge: &Edge| edge.next_timeout(&judgement) <= now;
        let due: Vec<_> = self.edges.iter().filter(|(_, edge)| due(edge)).map(|(&id, _)| id).collect();
        for id in due {
            self.drive(now, id);
        }
    }

    fn drive(&mut self, now: Instant, id: NodeId) {
        let Some(edge) = self.edges.get_mut(&id) else { return };
        edge.driven = now;
        if edge.purpose != Purpose::Failed
            && edge.late.is_none()
            && let Some(t0) = edge.t0()
            && edge.late_at().is_some_and(|at| at <= now)
        {
            edge.late = Some(Late::begin(now, t0));
            self.edges_stale = true;
        }
        match &edge.late {
            Some(_) => self.press(now, id),
            None if edge.next_ping <= now => self.heartbeat(now, id),
            None => {}
        }
    }

    fn heartbeat(&mut self, now: Instant, id: NodeId) {
        let interval = self.config.heartbeat;
        let (nonce, spread) = (self.rng.u64(..), 0.5 + 0.5 * self.rng.f64());
        let Some(edge) = self.edges.get_mut(&id) else { return };
        // The first interval is random, or a cluster that started together would probe in step for ever.
        let first = edge.t0().is_none() && edge.mean().is_none();
        edge.next_ping = now + if first { interval.mul_f64(spread) } else { interval };
        edge.sent(now, nonce);
        self.send_ping(id, nonce);
    }

    /// Everything that is done about a late peer.
    fn press(&mut self, now: Instant, id: NodeId) {
        self.judge_helpers(now, id);
        self.ask_helpers(now, id);
        self.probe_again(now, id);
        if self.may_accuse(now, id) {
            self.accuse(now, id, false);
        }
    }

    /// There is reason to believe that its process is gone: it counts as late from here on, and is asked by stream now,
    /// unless that is under way.
    pub(super) fn press_by_stream(&mut self, now: Instant, id: NodeId) {
        if self.edges.get(&id).is_some_and(|edge| edge.t0().is_none()) {
            self.heartbeat(now, id);
        }
        let Some(edge) = self.edges.get_mut(&id) else { return };
        let Some(t0) = edge.t0() else { return };
        let late = edge.late.get_or_insert_with(|| Late::begin(now, t0));
        if late.streams.is_empty() {
            (late.next_probe, late.by_stream) = (now, true);
            self.edges_stale = true;
            self.press(now, id);
        }
    }

    fn probe_again(&mut self, now: Instant, id: NodeId) {
        let (interval, nonce) = (self.config.heartbeat, self.rng.u64(..));
        let streams_max = self.stream_probes_max();
        let Some(edge) = self.edges.get_mut(&id) else { return };
        let pause = edge.reprobe_pause(now, interval);
        let Some(late) = edge.late.as_mut().filter(|late| late.next_probe <= now) else { return };
        // A lost datagram is made good by the next within a round trip, and only who answers neither costs a stream.
        late.next_probe = now + if std::mem::take(&mut late.fresh) { STREAM_AFTER } else { pause };
        let by_stream = late.by_stream && late.streams.len() < streams_max;
        late.by_stream = !late.by_stream;
        if by_stream {
            self.probe_by_stream(now, id);
        } else {
            edge.sent(now, nonce);
            self.send_ping(id, nonce);
        }
    }

    fn probe_by_stream(&mut self, now: Instant, id: NodeId) {
        let Some(to) = self.table.get(id).map(|member| member.record.profile.addr) else { return };
        let purpose = StreamPurpose::Probe { target: id };
        let stream = self.request(now, to, &Request::Ping, STREAM_PROBE_TIMEOUT, purpose);
        if let Some(late) = self.edges.get_mut(&id).and_then(|edge| edge.late.as_mut()) {
            late.streams.extend(stream);
        }
    }

    /// One lost segment holds up a stream for a second, so a second and a third are tried beside it; not while so many
    /// are late that it would be the cost of a split.
    fn stream_probes_max(&self) -> usize {
        let late = self.edges.values().filter(|edge| edge.late.is_some()).count();
        if late > RINGS { 1 } else { STREAM_PROBES_MAX }
    }

    fn ask_helpers(&mut self, now: Instant, id: NodeId) {
        let due = |edge: &mut Edge| edge.late.as_mut().is_some_and(|late| late.next_help <= now);
        if !self.edges.get_mut(&id).is_some_and(due) {
            return;
        }
        let (asked, proven) = if self.accused_here(id) { (Vec::new(), 0) } else { self.helpers(id) };
        let nonce = self.rng.u64(..);
        for &helper in &asked {
            let Some(to) = self.table.get(helper).map(|member| member.record.profile.addr) else { continue };
            self.send_bare(to, Body::PingReq { nonce, target: id });
        }
        if let Some(late) = self.edges.get_mut(&id).and_then(|edge| edge.late.as_mut()) {
            late.next_help = now + HELP_EVERY;
            let (replied, verdict_at) = (Vec::new(), now + HELP_VERDICT);
            late.round =
                (!asked.is_empty()).then_some(HelpRound { nonce, asked, proven, replied, verdict_at });
        }
    }

    /// Whom to ask about a late peer, those of other zones first: they see it by another road. Two of the three have
    /// answered since the peer fell silent, where there are such, and come first; how many is returned too. Of random
    /// members alone, a small side of a split would ask nine dead ones in ten, learn nothing and hold itself to be ill.
    fn helpers(&mut self, target: NodeId) -> (Vec<NodeId>, usize) {
        let zone = |table: &super::table::Table, id| {
            table.get(id).and_then(|member| member.record.tags.map.get("zone").cloned())
        };
        let mine = zone(&self.table, self.me);
        let silent_since = self.edges.get(&target).and_then(Edge::t0);
        let proven = |edge: &Edge| edge.late.is_none() && edge.answered >= silent_since;
        let proven = self.edges.iter().filter(|(_, edge)| edge.answered.is_some() && proven(edge));
        let mut helpers: Vec<_> = proven.map(|(&id, _)| id).filter(|&id| id != target).collect();
        helpers.retain(|&id| self.is_well(id));
        self.rng.shuffle(&mut helpers);
        helpers.sort_by_key(|&id| zone(&self.table, id) == mine);
        helpers.truncate(HELPERS - 1);
        let proven = helpers.len();
        let mut others = self.random_peers(2 * HELPERS, |id| id != target);
        others.retain(|id| !helpers.contains(id));
        others.sort_by_key(|&id| zone(&self.table, id) == mine);
        helpers.extend(others);
        helpers.truncate(HELPERS);
        (helpers, proven)
    }

    /// A round of helpers is over. That one who is surely there has not replied says something about *us*.
    fn judge_helpers(&mut self, now: Instant, id: NodeId) {
        let Some(late) = self.edges.get_mut(&id).and_then(|edge| edge.late.as_mut()) else { return };
        if late.round.as_ref().is_some_and(|round| round.verdict_at <= now)
            && let Some(round) = late.round.take()
            && round.lacks_a_proven_one()
        {
            self.health.worse();
        }
    }

    pub(super) fn helper_replied(&mut self, now: Instant, helper: NodeId, nonce: u64, reached: bool) {
        let mut answered = false;
        for (&target, edge) in &mut self.edges {
            let Some(late) = edge.late.as_mut() else { continue };
            if late.helper_replied(now, helper, nonce, reached) {
                answered = true;
                if let Some(member) = self.table.get_mut(target).filter(|_| reached) {
                    member.local_mut().link_down = true;
                }
            }
        }
        if answered {
            self.note_answer(now);
        }
    }

    fn may_accuse(&mut self, now: Instant, id: NodeId) -> bool {
        let judgement = self.judgement();
        let Some(edge) = self.edges.get(&id) else { return false };
        if edge.accuse_at(&judgement).is_none_or(|at| at > now) || edge.reached(now) {
            return false;
        }
        if self.judging_paused_until(now).is_some() || self.accused_here(id) {
            return false;
        }
        let Some(member) = self.table.get_mut(id).filter(|member| member.state().is_visible()) else {
            return false;
        };
        let allowed = member.local().grudge.allows(now);
        // It was wrongly accused from here lately: something is wrong between us, and that is all we say.
        if !allowed {
            member.local_mut().link_down = true;
        }
        allowed
    }

    /// An observed peer has answered one of our probes, late or in time.
    pub(super) fn peer_answered(&mut self, now: Instant, id: NodeId, late: bool) {
        self.edges_stale |= late;
        if let Some(member) = self.table.get_mut(id).filter(|member| member.local().link_down) {
            member.local_mut().link_down = false;
        }
        if self.edges.get(&id).is_some_and(|edge| edge.purpose == Purpose::Temporary && edge.late.is_none()) {
            self.edges.remove(&id);
        }
        self.note_answer(now);
    }

    /// Anybody has answered anything: this node is connected.
    pub(super) fn note_answer(&mut self, now: Instant) {
        if self.isolation.answered(now) == Step::Over {
            self.forget_evidence(now);
        }
    }

    /// What was gathered while this node did not run or was cut off is no evidence.
    pub(super) fn forget_evidence(&mut self, now: Instant) {
        self.edges.values_mut().for_each(|edge| edge.forget(now));
        self.edges_stale = true;
    }

    /// Asks around when half of the edges are late together, and takes back what was concluded.
    pub(super) fn update_isolation(&mut self, now: Instant) {
        let judged = self.edges.values().filter(|edge| edge.purpose != Purpose::Failed);
        let late = judged.clone().filter(|edge| edge.late.is_some());
        let silent_since =
            if late.clone().count() * 2 >= judged.count() { late.filter_map(Edge::t0).min() } else { None };
        match self.isolation.update(now, silent_since) {
            Step::Nothing => {}
            Step::Ask => self.ask_around(),
            Step::Over => self.forget_evidence(now),
        }
        let given_up = self.isolation.cut_off_since().is_some_and(|since| now >= since + self.longest_wait());
        if given_up && !self.table.roster.iter().any(|id| self.is_well(id)) {
            self.isolation.decide_alone();
            self.accuse_the_silent(now);
        }
    }

    fn ask_around(&mut self) {
        let mut rng = self.rng.fork();
        let members = self.table.roster.sample(ISOLATION_ASKED, &mut rng, |_| true);
        let addr = |id| self.table.get(id).map(|member| member.record.profile.addr);
        let mut asked: Vec<_> = members.into_iter().filter_map(addr).collect();
        asked.extend(self.seeds.addrs());
        asked.sort();
        asked.dedup();
        let nonces: Vec<_> = asked.iter().map(|_| self.rng.u64(..)).collect();
        for (&to, &nonce) in asked.iter().zip(&nonces) {
            self.send_bare(to, Body::Ping { nonce });
        }
        self.isolation.asked(nonces);
    }

    /// Nobody else is left and the longest wait is over: this node's word stands.
    fn accuse_the_silent(&mut self, now: Instant) {
        let silent: Vec<_> = self.edges.keys().copied().collect();
        for id in silent {
            if self.may_accuse(now, id) {
                self.accuse(now, id, false);
            }
        }
    }

    /// SWIM's completeness where views differ: one member a second that no ring makes us observe.
    pub(super) fn backstop(&mut self, now: Instant) {
        if self.isolation.cut_off() {
            return;
        }
        for _ in 0..self.table.roster.len().min(8) {
            let Some(id) = self.table.roster.next(&mut self.rng) else { return };
            if !self.edges.contains_key(&id) {
                self.observe_for_now(now, id);
                return;
            }
        }
    }

    pub(super) fn probe_on_hint(&mut self, now: Instant, id: NodeId) {
        if !self.table.state(id).is_some_and(NodeState::is_visible) || id == self.me {
            return;
        }
        match self.edges.get_mut(&id) {
            // Something is out already: its answer, or its lateness, says more than another probe.
            Some(edge) if edge.t0().is_some() => {}
            Some(edge) => {
                edge.next_ping = now;
                self.drive(now, id);
            }
            None => self.observe_for_now(now, id),
        }
    }

    fn observe_for_now(&mut self, now: Instant, id: NodeId) {
        let temporary = self.edges.values().filter(|edge| edge.purpose == Purpose::Temporary).count();
        if temporary < TEMPORARY_EDGES_MAX {
            self.edges.insert(id, Edge::new(Purpose::Temporary, now));
            self.drive(now, id);
        }
    }

    /// Brings the edges in line with the rings.
    pub(super) fn update_edges(&mut self, now: Instant) {
        if !std::mem::take(&mut self.edges_stale) {
            return;
        }
        let observed = self.whom_to_observe(now);
        let purposes = observed.failed.iter().map(|&id| (id, Purpose::Failed));
        let purposes: Vec<_> =
            purposes.chain(observed.watched.iter().map(|&id| (id, Purpose::Ring))).collect();
        let table = &self.table;
        self.edges.retain(|&id, edge| {
            let temporary = edge.purpose == Purpose::Temporary;
            let visible = table.state(id).is_some_and(NodeState::is_visible);
            observed.watched.contains(&id) || observed.failed.contains(&id) || (temporary && visible)
        });
        for (id, purpose) in purposes {
            let edge = self.edges.entry(id).or_insert_with(|| Edge::new(purpose, now));
            if (edge.purpose == Purpose::Failed) != (purpose == Purpose::Failed) {
                edge.forget(now);
            }
            edge.purpose = purpose;
        }
    }

    fn whom_to_observe(&mut self, now: Instant) -> Observed {
        let look_ahead = !self.isolation.cut_off();
        loop {
            match self.table.rings.observed(look_ahead, |id| self.standpoint(now, id)) {
                Ok(observed) => return observed,
                Err(OutOfSight) => self.table.look_farther(),
            }
        }
    }

    fn standpoint(&self, now: Instant, id: NodeId) -> Standpoint {
        let Some(member) = self.table.get(id) else { return Standpoint::Failed };
        match member.state() {
            NodeState::Alive if self.is_well(id) => Standpoint::Good,
            NodeState::Suspect
                if member.record.standing.accusers.len() > CONFIRMATIONS && self.accused_here(id) =>
            {
                Standpoint::Accused
            }
            NodeState::Alive | NodeState::Suspect => Standpoint::Bad,
            NodeState::Failed | NodeState::Left => {
                let lately = |since| now.saturating_duration_since(since) < FAILED_LOOK_AHEAD;
                if member.since.is_some_and(lately) { Standpoint::FailedLately } else { Standpoint::Failed }
            }
        }
    }
}
