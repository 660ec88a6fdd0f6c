//! What the micro-benchmarks reach of picking, retrying and sealing. Built for them alone; no part of the interface.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    Balancer, Candidate, Keyring,
    agent::Gate,
    balance::{About, Chooser, End, Gauge},
    dispatch::Budget,
    membership::{Generation, NodeId},
    registry::Instance,
};

/// A client's strategy, and workers that have had calls.
#[derive(Debug)]
pub struct Picker {
    chooser: Chooser,
    workers: Vec<(Instance, Gauge)>,
    about: About,
    tags: BTreeMap<String, String>,
}

impl Picker {
    /// So many workers, long known by `now`, each with a latency of its own and calls in flight.
    pub fn new(balancer: &Balancer, workers: u32, now: Instant) -> Self {
        let worker = |number: u32| {
            let instance =
                Instance { id: NodeId::new(Uuid::from_u128(number.into())), generation: Generation(1) };
            let gauge = Gauge::new(now - Duration::from_secs(60));
            gauge.handle_begun(now);
            gauge.handle_ended(now, Duration::from_micros(200 + u64::from(number)), End::Answered);
            (0..number % 4).for_each(|_| gauge.enter());
            (instance, gauge)
        };
        let tags = BTreeMap::new();
        Self {
            chooser: Chooser::new(balancer, fastrand::Rng::with_seed(1)),
            workers: (1..=workers).map(worker).collect(),
            about: About::new(0, &tags),
            tags,
        }
    }

    /// The place of the worker that gets the next call. `key` is what a strategy that goes by keys goes by.
    pub fn pick(&mut self, now: Instant, key: Option<u64>) -> usize {
        let Self { chooser, workers, about, tags } = self;
        let candidate = |(instance, gauge)| Candidate { instance, about, tags, gauge, now };
        let candidates: Vec<_> =
            workers.iter().map(|(instance, gauge)| candidate((*instance, gauge))).collect();
        chooser.pick(&candidates, key)
    }
}

/// What a client may send again.
#[derive(Debug)]
pub struct RetryBudget(Budget);

impl RetryBudget {
    /// With the default share and reserve.
    pub fn new(now: Instant) -> Self {
        let settings = crate::Resilience::default();
        Self(Budget::new(now, settings.retry_share, settings.retry_reserve))
    }

    /// A call that is sent, and sent again if that is covered: whether it was.
    pub fn call_and_retry(&mut self, now: Instant) -> bool {
        self.0.deposit(now);
        self.0.withdraw(now)
    }
}

/// What seals gossip, or does not without a keyring.
#[derive(Debug)]
pub struct Sealing(Gate);

impl Sealing {
    /// For a cluster of this name.
    pub fn new(cluster_name: &str, keyring: Option<Keyring>) -> Self {
        Self(Gate::new(cluster_name, keyring))
    }

    /// Seals a datagram and opens it again; how many bytes went over the network. 0 if that could not be done.
    pub fn there_and_back(&self, datagram: &[u8]) -> usize {
        let Ok(sealed) = self.0.outgoing(datagram.to_vec()) else { return 0 };
        let length = sealed.len();
        self.0.incoming(sealed).map_or(0, |_| length)
    }
}
