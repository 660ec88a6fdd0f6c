//! Workers that consist of their load.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::super::{About, Candidate, Chooser, End, Gauge, LoadBalancing};
use crate::registry::{Instance, testing::instance};

/// Workers, and the time.
pub(super) struct Fleet {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) workers: Vec<Member>,
}

pub(super) struct Member {
    pub(super) instance: Instance,
    pub(super) about: About,
    pub(super) gauge: Gauge,
    tags: BTreeMap<String, String>,
}

impl Fleet {
    /// Workers that have been there for long.
    pub(super) fn of(count: u32) -> Self {
        let start = Instant::now();
        let mut fleet = Self { start, now: start + Duration::from_secs(3_600), workers: Vec::new() };
        (0..count).for_each(|_| fleet.add(start, &[]));
        fleet.start = fleet.now;
        fleet
    }

    /// One more, that came at a time.
    pub(super) fn add(&mut self, born: Instant, tags: &[(&str, &str)]) {
        let tags: BTreeMap<_, _> =
            tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect();
        let (instance, about) = (instance(self.workers.len() as u128, 1), About::new(0, &tags));
        self.workers.push(Member { instance, about, gauge: Gauge::new(born), tags });
    }

    pub(super) fn weighing(weights: &[u32]) -> Self {
        let mut fleet = Self::of(weights.len() as u32);
        fleet.workers.iter_mut().zip(weights).for_each(|(member, weight)| member.about.weight = *weight);
        fleet
    }

    pub(super) fn candidate(&self, place: usize) -> Candidate<'_> {
        let Member { instance, about, gauge, tags } = &self.workers[place];
        Candidate { instance: *instance, about, tags, gauge, now: self.now }
    }

    pub(super) fn candidates(&self) -> Vec<Candidate<'_>> {
        self.those(&(0..self.workers.len()).collect::<Vec<_>>())
    }

    pub(super) fn those(&self, places: &[usize]) -> Vec<Candidate<'_>> {
        places.iter().map(|place| self.candidate(*place)).collect()
    }

    pub(super) fn pick(&self, chooser: &mut Chooser) -> usize {
        chooser.pick(&self.candidates(), None)
    }

    /// Calls that are in flight at a worker.
    pub(super) fn load(&self, place: usize, calls: u32) {
        (0..calls).for_each(|_| self.workers[place].gauge.enter());
    }

    /// A call to a worker that ended now.
    pub(super) fn ended(&self, place: usize, millis: u64, end: End) {
        let took = Duration::from_millis(millis);
        self.workers[place].gauge.handle_begun(self.now - took);
        self.workers[place].gauge.handle_ended(self.now, took, end);
    }
}

pub(super) fn chooser(balancing: LoadBalancing, seed: u64) -> Chooser {
    Chooser::new(&balancing.into(), fastrand::Rng::with_seed(seed))
}
