//! Is it them, or is it me? When half of what I observe falls silent together, I ask around before I accuse.

use std::time::{Duration, Instant};

use super::limits::{ANSWER_PROVES_LINK, ISOLATION_EVERY, ISOLATION_VERDICT};

/// Whether this node is cut off.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    test: Option<Test>,
    /// When anyone last answered anything.
    last_answer: Option<Instant>,
}

/// Half of the edges are late; others are being asked.
#[derive(Debug)]
struct Test {
    /// When the oldest probe that is unanswered now was sent.
    since: Instant,
    asked: Instant,
    nonces: Vec<u64>,
    cut_off: bool,
    /// Nobody is left who could confirm anything, and the longest suspicion has passed: this node's word stands.
    alone: bool,
}

/// What the node has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Ask random members and the seeds.
    Ask,
    /// The isolation is over: evidence gathered in it is void.
    Over,
}

impl Isolation {
    /// No accusation, no expiry and no look-ahead while this holds.
    pub(crate) fn cut_off(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.cut_off && !test.alone)
    }

    /// Nobody that was asked has answered, whatever this node makes of it.
    pub(crate) fn is_silent(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.cut_off)
    }

    pub(crate) fn alone_since(&self) -> Option<Instant> {
        self.test.as_ref().filter(|test| test.alone).map(|test| test.since)
    }

    /// When the silence began, while this node is cut off.
    pub(crate) fn cut_off_since(&self) -> Option<Instant> {
        self.test.as_ref().filter(|test| test.cut_off && !test.alone).map(|test| test.since)
    }

    pub(crate) fn decide_alone(&mut self) {
        if let Some(test) = &mut self.test {
            test.alone = true;
        }
    }

    /// Anyone answered anything, a refused connection included: this node is connected.
    pub(crate) fn answered(&mut self, now: Instant) -> Step {
        self.last_answer = Some(now);
        let Some(test) = &mut self.test else { return Step::Nothing };
        test.alone = false;
        if std::mem::take(&mut test.cut_off) { Step::Over } else { Step::Nothing }
    }

    /// Whether a nonce belongs to the present round of questions.
    pub(crate) fn asked_with(&self, nonce: u64) -> bool {
        self.test.as_ref().is_some_and(|test| test.nonces.contains(&nonce))
    }

    /// How things stand now: `silent_since` is the oldest unanswered probe while half of the edges are late.
    pub(crate) fn update(&mut self, now: Instant, silent_since: Option<Instant>) -> Step {
        let Some(since) = silent_since else {
            let over = self.cut_off();
            self.test = None;
            return if over { Step::Over } else { Step::Nothing };
        };
        let heard = self.last_answer.is_some_and(|at| now.saturating_duration_since(at) < ANSWER_PROVES_LINK);
        let Some(test) = &mut self.test else {
            self.test = Some(Test { since, asked: now, nonces: Vec::new(), cut_off: false, alone: false });
            return Step::Ask;
        };
        let waited = now.saturating_duration_since(test.asked);
        if waited >= ISOLATION_VERDICT && !heard {
            test.cut_off = true;
        }
        if waited < ISOLATION_EVERY {
            return Step::Nothing;
        }
        if !test.cut_off {
            test.since = since;
        }
        test.asked = now;
        test.nonces.clear();
        Step::Ask
    }

    /// The questions went out with these nonces.
    pub(crate) fn asked(&mut self, nonces: Vec<u64>) {
        if let Some(test) = &mut self.test {
            test.nonces = nonces;
        }
    }

    pub(crate) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let test = self.test.as_ref()?;
        let verdict = test.asked + ISOLATION_VERDICT;
        let after = |pause: Duration| Some(test.asked + pause);
        if now < verdict { Some(verdict) } else { after(ISOLATION_EVERY) }
    }
}
