//! The load of one worker where many calls can reach it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::load::{End, Load, Reading};

/// Calls in flight, and what they have shown of the worker's load.
///
/// Shared by all clients of a process. Its lock is held for the few nanoseconds of a sum, by the calls to this one
/// worker and by whoever compares it with others; gossip has no part in it.
#[derive(Debug)]
pub(crate) struct Gauge {
    /// When this process first heard of the worker.
    born: Instant,
    in_flight: AtomicU32,
    load: Mutex<Load>,
}

impl Gauge {
    /// How long a new worker is spared: its caches are cold and its code is not warm, and all callers learn of it at once.
    const SLOW_START: Duration = Duration::from_secs(10);
    /// The least part of its share that a new worker gets: without calls it would never warm up. Envoy's default.
    const SLOW_START_LEAST: f64 = 0.1;

    pub(crate) fn new(now: Instant) -> Self {
        Self { born: now, in_flight: AtomicU32::new(0), load: Mutex::default() }
    }

    /// One more call in flight, until it [leaves](Self::leave).
    pub(crate) fn enter(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// One call in flight less.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn handle_begun(&self, now: Instant) {
        self.load.lock().handle_begun(now);
    }

    pub(crate) fn handle_ended(&self, now: Instant, took: Duration, end: End) {
        self.load.lock().handle_ended(now, took, end);
    }

    pub(crate) fn reading(&self, now: Instant) -> Reading {
        self.load.lock().reading(now)
    }

    pub(crate) fn failing(&self, now: Instant) -> u32 {
        self.load.lock().failing(now)
    }

    /// The part of its share that a worker gets by its age, up to 1.
    pub(crate) fn warmth(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.born);
        if age >= Self::SLOW_START {
            return 1.0;
        }
        (age.as_secs_f64() / Self::SLOW_START.as_secs_f64()).max(Self::SLOW_START_LEAST)
    }
}
