//! A worker that would do, as a strategy sees it.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use super::{gauge::Gauge, load::Reading};
use crate::{membership::NodeId, registry::Instance};

/// A worker that would do: what it says of itself, and what this process has seen of it.
///
/// The calls in flight and the latency are read when they are asked for: a strategy that looks at two workers of a
/// hundred pays for two.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    pub(crate) instance: Instance,
    pub(crate) about: &'a About,
    pub(crate) tags: &'a BTreeMap<String, String>,
    pub(crate) gauge: &'a Gauge,
    /// The moment of the choice.
    pub(crate) now: Instant,
}

/// What matters to a choice of what a worker says of itself, worked out when it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct About {
    /// How many calls it wants to carry at once; 0 when it did not say.
    pub(crate) capacity: u32,
    /// Its share, relative to others.
    pub(crate) weight: u32,
    /// How it is seen from the zone of whoever chooses.
    pub(crate) place: Place,
}

/// Where a worker is, seen from a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// In another zone; or there is none to look from.
    #[default]
    Elsewhere,
    /// In the same one, of so many.
    Near { zones: usize },
}

impl About {
    /// The tag with a worker's share of the calls, a whole number.
    const WEIGHT_TAG: &str = "weight";

    pub(crate) fn new(capacity: u32, tags: &BTreeMap<String, String>) -> Self {
        let said = tags.get(Self::WEIGHT_TAG).and_then(|weight| weight.parse().ok());
        Self { capacity, weight: said.unwrap_or(capacity.max(1)), place: Place::Elsewhere }
    }
}

impl<'a> Candidate<'a> {
    /// The worker's id.
    pub fn id(&self) -> NodeId {
        self.instance.id
    }

    /// Its tags.
    pub fn tags(&self) -> &'a BTreeMap<String, String> {
        self.tags
    }

    /// How many calls it wants to carry at once; 0 when it did not say.
    pub fn capacity(&self) -> u32 {
        self.about.capacity
    }

    /// Its share of the calls relative to others: its tag `weight` if that is a whole number, or else its capacity, or
    /// else 1. A weight of 0 asks for no calls as long as there are others.
    pub fn weight(&self) -> u32 {
        self.about.weight
    }

    /// Calls of this process that it has not answered yet.
    pub fn in_flight(&self) -> u32 {
        self.gauge.in_flight()
    }

    /// The estimate of how long it takes to answer; see [`Worker::latency`](crate::Worker::latency).
    pub fn latency(&self) -> Option<Duration> {
        self.reading().latency.map(Duration::from_secs_f64)
    }

    /// How often it failed calls of this process of late: each failure counts for five seconds, as if it were a call in
    /// flight that takes so long.
    pub fn failing(&self) -> u32 {
        self.gauge.failing(self.now)
    }

    pub(super) fn reading(&self) -> Reading {
        self.gauge.reading(self.now)
    }

    /// Calls in flight, its failures among them.
    pub(super) fn busy(&self) -> u32 {
        self.in_flight().saturating_add(self.failing())
    }

    /// Whether it can take a call more, as far as this process knows: it failed none of late, and is not full.
    pub(super) fn has_room(&self) -> bool {
        /// Of a worker's capacity, how much its own zone may use before calls go to others: above it, queues grow faster than
        /// the load does.
        const FULL: f64 = 0.8;
        let capacity = self.capacity();
        let full = capacity > 0 && f64::from(self.in_flight()) >= FULL * f64::from(capacity);
        !full && self.failing() == 0
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("id", &self.id())
            .field("weight", &self.weight())
            .field("in_flight", &self.in_flight())
            .field("latency", &self.latency())
            .field("failing", &self.failing())
            .finish_non_exhaustive()
    }
}
