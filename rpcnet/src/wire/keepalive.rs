//! Whether the peer is still there: asked only while somebody waits for something.

use std::time::{Duration, Instant};

use super::limits::Limits;

/// Watches for silence.
///
/// A connection on which nothing is under way may be silent for ever. While a call is, silence for an interval is
/// answered with a ping, and silence after that with the end of the connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    interval: Duration,
    timeout: Duration,
    heard: Instant,
    asked: Option<Instant>,
}

/// What to do about the silence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Bearable,
    Ask,
    TooLong,
}

impl Keepalive {
    pub(super) fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            interval: limits.keepalive_interval,
            timeout: limits.keepalive_timeout,
            heard: now,
            asked: None,
        }
    }

    /// The peer sent something, or began to owe something only now.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    pub(super) fn next_timeout(&self) -> Instant {
        match self.asked {
            Some(asked) => asked + self.timeout,
            None => self.heard + self.interval,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Silence {
        if now < self.next_timeout() {
            return Silence::Bearable;
        }
        if self.asked.is_some() {
            return Silence::TooLong;
        }
        self.asked = Some(now);
        Silence::Ask
    }
}
