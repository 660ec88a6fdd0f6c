//! Whether the peer is still there: asked while somebody waits for it.

use std::time::{Duration, Instant};

use super::limits::Limits;
use crate::time::later;

/// Watches for silence.
///
/// Silence for an interval is answered with a ping, and silence after that with the end of the connection. A sign of life
/// is anything that was read, or a transport that takes bytes again after it took none: the latter alone is heard of a
/// peer that is still reading a long answer.
///
/// A call that ends without an answer leaves the peer owing one: the silence goes on being watched from the call's
/// beginning, or a caller that gives up after a while and tries again would for ever be too early to ask.
#[derive(Debug)]
pub(super) struct Keepalive {
    interval: Duration,
    timeout: Duration,
    heard: Instant,
    asked: Option<Instant>,
    owed: bool,
}

/// How closely silence is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Nothing is expected of the peer yet, or any more.
    Not,
    /// Nothing is under way. Only a peer that still owes a sign of life is asked for it.
    OnlyIfOwed,
    /// Nothing is under way, and the peer is asked once in a while, so that one that vanished does not stay for ever.
    NowAndThen,
    /// Something is under way.
    Closely,
}

/// What to do about the silence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Bearable,
    Ask,
    TooLong,
}

impl Keepalive {
    /// How many intervals long an idle peer may be silent before it is asked: a minute at the default, little traffic for
    /// thousands of idle connections.
    const IDLE_INTERVALS: u32 = 6;

    pub(super) fn new(now: Instant, limits: &Limits) -> Self {
        let (interval, timeout) = (limits.keepalive_interval, limits.keepalive_timeout);
        Self { interval, timeout, heard: now, asked: None, owed: false }
    }

    /// The peer sent something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.progressed(now);
        self.owed = false;
    }

    /// The peer reads.
    pub(super) fn progressed(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// The peer is asked for something, while it owes `others`.
    pub(super) fn owed(&mut self, now: Instant, others: usize) {
        if !self.owed && others == 0 {
            self.progressed(now);
        }
        self.owed = true;
    }

    pub(super) fn next_timeout(&self, watch: Watch) -> Option<Instant> {
        let interval = match watch {
            Watch::Not => return None,
            Watch::Closely => self.interval,
            Watch::NowAndThen if !self.owed => self.interval.saturating_mul(Self::IDLE_INTERVALS),
            Watch::OnlyIfOwed if !self.owed => return None,
            Watch::NowAndThen | Watch::OnlyIfOwed => self.interval,
        };
        Some(match self.asked {
            Some(asked) => later(asked, self.timeout),
            None => later(self.heard, interval),
        })
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, watch: Watch) -> Silence {
        if self.next_timeout(watch).is_none_or(|at| now < at) {
            return Silence::Bearable;
        }
        if self.asked.is_some() {
            return Silence::TooLong;
        }
        self.asked = Some(now);
        self.owed = true;
        Silence::Ask
    }
}
