//! What others say of this node, and its answer. Only the owner raises its incarnation and its generation.

use std::time::Instant;

use super::gossip::Urgency;
use super::limits::{GENERATION_MAX, INCARNATION_MAX, TELL_EVERY};
use super::node::Phase;
use super::record::{Record, Standing, Update};
use super::{Generation, Incarnation, Membership, NodeState};

/// Paces this node's answers: at most one a second, however many accuse it.
#[derive(Debug, Default)]
pub(super) struct Refutation {
    last: Option<Instant>,
    /// A claim that came too soon after the last answer, and when it is answered if it is still wrong.
    waiting: Option<(Instant, Claim)>,
}

/// What somebody holds of this node.
#[derive(Clone, Copy, Debug)]
struct Claim {
    state: NodeState,
    generation: Generation,
    incarnation: Incarnation,
    /// With tags that were never written here.
    strange_tags: bool,
}

impl Refutation {
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.map(|(until, _)| until)
    }
}

impl Membership {
    /// News about this node has come from another.
    pub(super) fn meet_myself(&mut self, now: Instant, update: &Update) {
        let mine = self.table.mine();
        let strange_tags = match update {
            // Another process has written in this node's name, or this one forgot what it wrote.
            Update::Full(record) => record.tags.version > mine.tags.version,
            Update::Brief { .. } => false,
        };
        let (generation, standing) = (update.generation(), update.standing());
        let (state, incarnation) = (standing.state, standing.incarnation);
        self.answer_claim(now, Claim { state, generation, incarnation, strange_tags });
    }

    /// Somebody holds this of us.
    pub(super) fn hear_about_me(
        &mut self,
        now: Instant,
        state: NodeState,
        generation: Generation,
        incarnation: Incarnation,
    ) {
        self.answer_claim(now, Claim { state, generation, incarnation, strange_tags: false });
    }

    fn answer_claim(&mut self, now: Instant, claim: Claim) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        let mine = self.table.mine();
        let own = (mine.generation, mine.standing.incarnation);
        let said = (claim.generation, claim.incarnation);
        // A version that was never written here belongs to an earlier start whose clock was ahead, or to a twin.
        let unwritten = said > own || (claim.strange_tags && said.0 == own.0);
        let wrong = unwritten || (said == own && claim.state != NodeState::Alive);
        // There is no generation after the last: whoever claims that one lies, and cannot be answered.
        if !wrong || claim.generation.0 >= GENERATION_MAX {
            return;
        }
        if let Some(until) = self.refutation.last.map(|last| last + TELL_EVERY).filter(|&until| now < until) {
            self.refutation.waiting = Some((until, claim));
            return;
        }
        if unwritten || own.1.next().0 > INCARNATION_MAX {
            self.answer(now, claim.generation.max(own.0).next());
        } else {
            self.answer(now, own.0);
        }
    }

    pub(super) fn refute_if_due(&mut self, now: Instant) {
        if let Some((_, claim)) = self.refutation.waiting.take_if(|(until, _)| *until <= now) {
            self.answer_claim(now, claim);
        }
    }

    /// Says that an accusation is wrong, or that a version is not its own.
    fn answer(&mut self, now: Instant, generation: Generation) {
        self.refutation.last = Some(now);
        // Whoever has to refute may have been slow: judge others more slowly. Behind a cut it was not.
        if !self.partition.is_cut_in_two() {
            self.health.worse();
            if generation == self.local_generation() {
                self.strain.slip(now);
            }
        }
        self.speak(now, generation);
        // A refutation is urgent enough to leave at once.
        self.queue.push(self.me, Urgency::Refuted, false);
        self.gossip_at_once(now);
    }

    /// Says that it is degraded, or is it no more, when that has changed.
    pub(super) fn own_up(&mut self, now: Instant) {
        let mine = self.table.mine();
        let (generation, incarnation, said) =
            (mine.generation, mine.standing.incarnation, mine.standing.degraded);
        if self.strain.is_degraded(now) != said && incarnation.0 < INCARNATION_MAX {
            self.speak(now, generation);
        }
    }

    /// Speaks for itself: the next incarnation of this generation, or the first of a later one.
    fn speak(&mut self, now: Instant, generation: Generation) {
        let mut record = Record::clone(self.table.mine());
        let incarnation = if generation > record.generation {
            record.generation = generation;
            Incarnation::default()
        } else {
            record.standing.incarnation.next()
        };
        let degraded = self.strain.is_degraded(now);
        record.standing = Standing { degraded, ..Standing::alive(incarnation) };
        self.rewrite_me(now, record);
    }
}
