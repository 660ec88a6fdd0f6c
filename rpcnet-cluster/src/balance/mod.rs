//! ④ The picture becomes a choice: which of the workers that would do gets the call. One file a strategy, all pure.

mod least_connections;
mod random;
mod rendezvous;
mod round_robin;
#[cfg(test)]
mod tests;

use crate::registry::Instance;

pub(crate) use rendezvous::rendezvous;

/// How a worker is chosen among those that would do.
///
/// | strategy | suits |
/// |---|---|
/// | [`RoundRobin`](Self::RoundRobin) | calls that cost about the same, workers that are alike |
/// | [`Random`](Self::Random) | many small clients, which would otherwise take their turns in step |
/// | [`LeastConnections`](Self::LeastConnections) | calls of unlike cost, workers of unlike speed: a slow one fills up and is left alone |
///
/// A keyed call (one with a request id) is not balanced: it goes to the worker its id points to, so that a repeat meets
/// the record of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadBalancing {
    /// Each in turn, in the order of their ids.
    RoundRobin,
    /// Each with the same chance, whatever came before.
    Random,
    /// The one with the fewest calls of this process in flight; among equals, each in turn.
    ///
    /// Counts what this process sent and nothing else. A worker that fails quickly looks idle and attracts calls; the
    /// ejection of workers that refuse connections takes the worst of it away.
    LeastConnections,
}

impl LoadBalancing {
    /// The strategy, at its beginning.
    fn strategy(self) -> Box<dyn Strategy> {
        match self {
            LoadBalancing::RoundRobin => Box::new(round_robin::RoundRobin::default()),
            LoadBalancing::Random => Box::new(random::Random),
            LoadBalancing::LeastConnections => Box::new(least_connections::LeastConnections::default()),
        }
    }
}

/// A strategy at work: what it remembers, and its dice.
#[derive(Debug)]
pub(crate) struct Chooser {
    strategy: Box<dyn Strategy>,
    pub(crate) random: fastrand::Rng,
}

impl Chooser {
    pub(crate) fn new(balancing: LoadBalancing, random: fastrand::Rng) -> Self {
        Self { strategy: balancing.strategy(), random }
    }

    /// The index of the chosen candidate, out of at least one.
    pub(crate) fn pick(&mut self, candidates: &[Candidate]) -> usize {
        self.strategy.pick(candidates, &mut self.random)
    }
}

/// Chooses among workers. Load and randomness are arguments, so a choice can be repeated from its seed.
pub(crate) trait Strategy: std::fmt::Debug + Send {
    /// The index of the chosen candidate.
    ///
    /// `candidates` is never empty and in ascending order of instance. It may be another set each time: workers come
    /// and go, and a call that is repeated leaves out those it has tried.
    fn pick(&mut self, candidates: &[Candidate], random: &mut fastrand::Rng) -> usize;
}

/// A worker that would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) instance: Instance,
    /// Calls of this process that it has not answered yet.
    pub(crate) in_flight: u32,
}
