//! What others say of this node, and its answer. Only the owner raises its incarnation and its generation.

use std::time::Instant;

use super::gossip::Urgency;
use super::limits::{INCARNATION_MAX, TELL_EVERY};
use super::node::Phase;
use super::record::{Standing, Update};
use super::{Generation, Incarnation, Membership, NodeState};

/// Paces this node's answers: at most one a second, however many accuse it.
#[derive(Debug, Default)]
pub(super) struct Refutation {
    last: Option<Instant>,
    /// An accusation that came too soon after the last answer; answered then if it still stands.
    waiting: Option<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    until: Instant,
    generation: Generation,
    incarnation: Incarnation,
    state: NodeState,
}

impl Refutation {
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.waiting.map(|waiting| waiting.until)
    }
}

impl Membership {
    /// News about this node has come from another.
    pub(super) fn meet_myself(&mut self, now: Instant, update: &Update) {
        let standing = update.standing();
        if let Update::Full(record) = update {
            let mine = &self.table.me().record;
            if record.generation == mine.generation && record.tags.version > mine.tags.version {
                // Another process has written in this node's name, or this one forgot what it wrote.
                self.answer(now, mine.generation.next());
                return;
            }
        }
        self.hear_about_me(now, standing.state, update.generation(), standing.incarnation);
    }

    /// Somebody holds this of us.
    pub(super) fn hear_about_me(
        &mut self,
        now: Instant,
        state: NodeState,
        generation: Generation,
        incarnation: Incarnation,
    ) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        let mine = &self.table.me().record;
        let own = (mine.generation, mine.standing.incarnation);
        let wrong = (generation, incarnation) > own
            || ((generation, incarnation) == own && state != NodeState::Alive);
        if !wrong {
            return;
        }
        if let Some(until) = self.refutation.last.map(|last| last + TELL_EVERY).filter(|&until| now < until) {
            self.refutation.waiting = Some(Waiting { until, generation, incarnation, state });
            return;
        }
        // A version that was never written here belongs to an earlier start whose clock was ahead, or to a twin.
        let unwritten = (generation, incarnation) > own;
        if unwritten || own.1.next().0 > INCARNATION_MAX {
            self.answer(now, generation.max(own.0).next());
        } else {
            self.answer(now, own.0);
        }
    }

    pub(super) fn refute_if_due(&mut self, now: Instant) {
        if let Some(waiting) = self.refutation.waiting.filter(|waiting| waiting.until <= now) {
            self.refutation.waiting = None;
            self.hear_about_me(now, waiting.state, waiting.generation, waiting.incarnation);
        }
    }

    /// Speaks for itself: the next incarnation of this generation, or the first of a later one.
    fn answer(&mut self, now: Instant, generation: Generation) {
        let mut record = self.table.me().record.clone();
        if generation > record.generation {
            record.generation = generation;
            record.standing = Standing::alive(Incarnation::default());
        } else {
            record.standing = Standing::alive(record.standing.incarnation.next());
        }
        self.refutation.last = Some(now);
        // Whoever has to refute may have been slow: judge others more slowly.
        self.health.worse();
        self.rewrite_me(now, record);
        // A refutation is urgent enough to leave at once.
        self.queue.push(self.me, Urgency::Refuted, false);
        self.gossip_at_once(now);
    }
}
