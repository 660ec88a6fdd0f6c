//! ④ The picture becomes a choice: which of the workers that would do gets the call. One file a strategy, all pure.
//!
//! `load` is what this process has seen of a worker, `gauge` where calls leave it, `candidate` how a strategy sees it.
//! `chooser` narrows the field (`near`: own zone first, `slow_start`: new workers get less) and asks the strategy.

mod balancer;
mod candidate;
mod chooser;
mod consistent;
mod gauge;
mod least_connections;
mod load;
mod near;
mod peak_ewma;
mod pick;
mod random;
mod rendezvous;
mod round_robin;
mod slow_start;
#[cfg(test)]
mod tests;
mod weighted;

pub use balancer::Balancer;
pub use candidate::Candidate;
pub use pick::Pick;

pub(crate) use balancer::Home;
pub(crate) use candidate::{About, Place};
pub(crate) use chooser::Chooser;
pub(crate) use gauge::Gauge;
pub(crate) use load::End;
pub(crate) use near::ZONE_TAG;
pub(crate) use pick::key_of;
pub(crate) use rendezvous::rendezvous;

/// How a worker is chosen among those that would do.
///
/// | strategy | suits |
/// |---|---|
/// | [`PeakEwma`](Self::PeakEwma), the default | nearly everything: workers that are slow, or become it, are left alone |
/// | [`LeastConnections`](Self::LeastConnections) | calls that take seconds, where what is under way says more than what was |
/// | [`RoundRobin`](Self::RoundRobin) | calls that cost about the same, workers that are alike, tests |
/// | [`Random`](Self::Random) | a baseline to compare with |
/// | [`Weighted`](Self::Weighted) | workers whose size is known: shares by `weight` or capacity |
/// | [`Consistent`](Self::Consistent) | workers that keep something about a key: caches, sessions |
///
/// A strategy of one's own is a [`Strategy`], by way of [`Balancer::custom`].
///
/// Each client counts turns for itself; calls in flight and latencies are shared by all clients of one registry. A keyed call
/// (one with a request id) is not balanced: it goes to the worker its id points to, so that a repeat meets the record of
/// the first.
/// ```
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), rpcnet_cluster::JoinError> {
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::Weighted);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LoadBalancing {
    /// Each in turn, in the order of their ids.
    RoundRobin,
    /// Each with the same chance, whatever came before.
    Random,
    /// The one with the fewest calls of this process in flight; among equals, each in turn.
    ///
    /// Counts what this process sent and nothing else. A failure counts as a call in flight for five seconds: a worker
    /// that fails quickly would else look idle and attract calls. Looks at every worker for each call.
    LeastConnections,
    /// Of two drawn at random, the one where a call is expected to take less time: its latency times the calls in flight
    /// there. Of up to four workers, the best of all.
    ///
    /// The latency is a peak average: a slow answer counts at once, and is forgotten within ten seconds. A failure counts
    /// as an answer after five seconds. A worker that never had a call gets one, and until it has answered is taken
    /// for one like its peers. One that was left alone for ten seconds gets a call, if it is at most every hundredth.
    ///
    /// The default because it is the only one that notices a slow worker by its first slow answers, and needs nothing to
    /// be known beforehand. Among workers that are alike, whoever had the latest slow answer gets fewer calls for some
    /// seconds: over a minute shares are even, over a second they are not.
    #[default]
    PeakEwma,
    /// Each as often as its weight says, evenly spread: its tag `weight`, a whole number, or else its capacity, or else 1.
    ///
    /// A weight of 0 is for workers that get calls only when there is no other. Looks at every worker for each call.
    Weighted,
    /// The worker that the call's key ([`CallOptions::affinity`](rpcnet::CallOptions::affinity)) points to, unless it carries
    /// over 1.25 times its even share of the calls in flight, failures counted as by
    /// [`LeastConnections`](Self::LeastConnections); then the next in the key's order. Calls without a key go by
    /// [`PeakEwma`](Self::PeakEwma).
    ///
    /// A worker that comes or goes moves only the keys that point to it. Looks at every worker for each call.
    Consistent,
}

impl LoadBalancing {
    /// The strategy, at its beginning.
    fn strategy(self) -> Box<dyn Strategy> {
        match self {
            LoadBalancing::RoundRobin => Box::new(round_robin::RoundRobin::default()),
            LoadBalancing::Random => Box::new(random::Random),
            LoadBalancing::LeastConnections => Box::new(least_connections::LeastConnections::default()),
            LoadBalancing::PeakEwma => Box::new(peak_ewma::PeakEwma::default()),
            LoadBalancing::Weighted => Box::new(weighted::Weighted::default()),
            LoadBalancing::Consistent => Box::new(consistent::Consistent::default()),
        }
    }
}

/// A way to choose among workers: the built-in ones, or one's own.
///
/// Each client has its own, behind a lock of its own; see [`Balancer::custom`] for how it gets there. Chance comes from
/// the [`Pick`], so that a choice can be repeated in a test.
///
/// ```
/// use rpcnet_cluster::{Balancer, Candidate, Pick, Strategy};
///
/// /// The worker with the most room, by its own word.
/// #[derive(Debug, Default)]
/// struct Roomiest;
///
/// impl Strategy for Roomiest {
///     fn pick(&mut self, candidates: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
///         let room = |place: &usize| {
///             let candidate = &candidates[*place];
///             candidate.capacity().saturating_sub(candidate.in_flight() + candidate.failing())
///         };
///         (0..candidates.len()).max_by_key(room).unwrap_or(0)
///     }
/// }
///
/// let balancer = Balancer::custom(Roomiest::default);
/// ```
pub trait Strategy: std::fmt::Debug + Send + 'static {
    /// The place of the chosen candidate in the list; beyond its end, counting begins anew.
    ///
    /// `candidates` is never empty and in ascending order of id. Those that are ejected, under suspicion or in another zone
    /// are not among them as long as there are others. It may be another set each time: workers come and go, and a call
    /// that is repeated leaves out those it has tried.
    ///
    /// Called for each attempt, while a lock of the client is held: it should take well under a microsecond.
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize;
}
