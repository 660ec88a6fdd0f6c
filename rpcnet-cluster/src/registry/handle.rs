//! The registry itself: a task that takes in events, and the handle that everybody reads through.

use std::sync::Arc;

use parking_lot::Mutex;
use rpcnet::transport::Transport;
use tokio::sync::{mpsc, watch};

use super::{
    events::{Published, Publisher, RegistryEvents, publisher},
    losses::Losses,
    picture::{Picture, Snapshot},
    selector::{Selector, SelectorError},
    source::{Gossip, Source, next_batch, ready_now},
    worker::Worker,
};
use crate::{
    agent::ClusterMembership,
    balance::{Balancer, Chooser},
    dispatch::{Dialler, eligible},
    membership::{ClusterEvent, NodeId},
};

/// How many reports of unreachable workers wait to be passed on. Each worker makes at most one a second.
const REPORTS_MAX: usize = 256;

/// The workers of a cluster: who they are, how they are doing, and whose turn it is.
///
/// Follows the cluster's events on a task of its own. Readers take an immutable snapshot and share no lock with that task
/// beyond the moment in which a pointer is replaced. When the cluster's events end, the last picture stays and calls go
/// on with it.
///
/// Cheap to clone; clones are the same registry. The task ends when the last of them, of the subscriptions and of the clients
/// on top is gone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry};
///
/// let cluster = ClusterMembership::builder()
///     .tag("role", "worker")
///     .advertise("127.0.0.1:7001".parse()?)
///     .join()
///     .await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
/// let worker = registry.select_worker(Some("role=worker"))?;
/// assert_eq!((worker.id, worker.active_connections()), (cluster.local_node_id(), 0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct WorkerRegistry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    published: Published,
    reports: mpsc::Sender<NodeId>,
    balancer: Balancer,
    chooser: Mutex<Chooser>,
}

impl WorkerRegistry {
    /// A registry of the workers in a cluster. Those that the node knows now are in it from the beginning.
    ///
    /// Connections to workers are opened the way the node itself reaches others: in plain TCP on the loopback
    /// interface, beyond it if the node was told `allow_plaintext()`, or over a network in memory. The registry keeps the
    /// node running.
    ///
    /// Takes a [`LoadBalancing`](crate::LoadBalancing), or a [`Balancer`] where a strategy of one's own or another zone is wanted.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(cluster: &ClusterMembership, balancing: impl Into<Balancer>) -> Self {
        let balancer = balancing.into().at(cluster.local_node_id());
        Self::following(Gossip::new(cluster), cluster.transport(), balancer)
    }

    /// A registry that follows any source, its workers reached by `transport`.
    pub(crate) fn following(
        mut source: impl Source,
        transport: Arc<dyn Transport>,
        balancing: impl Into<Balancer>,
    ) -> Self {
        let balancer = balancing.into();
        let (publisher, published) = publisher();
        let (reports, reported) = mpsc::channel(REPORTS_MAX);
        let picture = Picture::new(Dialler::new(transport, reports.clone()), balancer.home().clone());
        let mut reader = Reader { picture, losses: Losses::default(), publisher };
        reader.take_in(ready_now(&mut source));
        tokio::spawn(reader.follow(source, reported));
        let chooser = Mutex::new(Chooser::new(&balancer, fastrand::Rng::new()));
        Self { inner: Arc::new(Inner { published, reports, balancer, chooser }) }
    }

    /// The cluster's events, each after the registry has taken it in; first the nodes there are now.
    pub fn subscribe(&self) -> RegistryEvents {
        self.inner.published.subscribe()
    }

    /// Every worker that is a member of the cluster, suspected ones included, by id.
    pub fn workers(&self) -> Vec<Worker> {
        self.snapshot().workers.clone()
    }

    /// How many workers there are.
    pub fn worker_count(&self) -> usize {
        self.snapshot().workers.len()
    }

    /// The worker that the next call should go to, of those with these tags, or of all.
    ///
    /// Workers that could not be reached a moment ago, and those under suspicion, are chosen only when there is no other; those
    /// that are draining are not chosen at all.
    ///
    /// # Errors
    ///
    /// When the selector cannot be read, or nobody matches it now.
    pub fn select_worker(&self, selector: Option<&str>) -> Result<Worker, SelectError> {
        let selector = selector.map(str::parse::<Selector>).transpose()?;
        let snapshot = self.snapshot();
        let matches = |worker: &&Worker| {
            !worker.is_draining() && selector.as_ref().is_none_or(|selector| selector.matches(&worker.tags))
        };
        let field: Vec<_> = snapshot.workers.iter().filter(matches).collect();
        let runners: Vec<_> = field.iter().map(|worker| worker.runner()).collect();
        let among: Vec<_> = eligible(&runners).into_iter().map(|place| field[place]).collect();
        if among.is_empty() {
            return Err(SelectError::NoWorkers { selector, workers: snapshot.workers.len() });
        }
        let now = tokio::time::Instant::now().into_std();
        let candidates: Vec<_> = among.iter().map(|worker| worker.candidate(now)).collect();
        Ok(among[self.inner.chooser.lock().pick(&candidates, None)].clone())
    }

    /// Says that a worker does not answer: membership looks at it at once. Nobody is convicted by this.
    ///
    /// Takes a [`Worker`] by reference or its id. The clients on top of the registry do this by themselves.
    pub fn report_failure(&self, worker: impl Into<NodeId>) {
        // Full only when hundreds of reports wait already: membership is looking.
        let _ = self.inner.reports.try_send(worker.into());
    }

    pub(crate) fn balancer(&self) -> &Balancer {
        &self.inner.balancer
    }

    /// The snapshots, to read the last one and to wait for the next.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.published.snapshots.clone()
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.published.snapshots.borrow())
    }
}

/// Who follows the source and publishes what it makes of it.
struct Reader {
    picture: Picture,
    losses: Losses,
    publisher: Publisher,
}

impl Reader {
    /// Takes in events and passes on reports, until the source ends or nobody reads any more.
    async fn follow(mut self, mut source: impl Source, mut reported: mpsc::Receiver<NodeId>) {
        // Out here, where it outlives the branch that fills it.
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                more = next_batch(&mut source, &mut batch) => {
                    if !more {
                        break;
                    }
                    self.take_in(std::mem::take(&mut batch));
                }
                Some(node) = reported.recv() => source.report_failure(node),
                () = self.publisher.unread() => break,
            }
        }
    }

    /// The picture changes first, then whoever follows the events is told.
    fn take_in(&mut self, events: Vec<ClusterEvent>) {
        let now = tokio::time::Instant::now().into_std();
        for event in &events {
            self.picture.apply(event);
            self.losses.apply(event, now);
        }
        let snapshot = Snapshot { failed: self.losses.list(), ..self.picture.snapshot() };
        self.publisher.publish(snapshot, events);
    }
}

/// Why no worker was selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The selector cannot be read. It will never be.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// Nobody matches now. Somebody may in a moment.
    #[error("no worker matches{}; the registry knows {workers} workers", Wanted(selector.as_ref()))]
    NoWorkers {
        /// What was asked for; `None` for any worker.
        selector: Option<Selector>,
        /// How many workers there are.
        workers: usize,
    },
}

/// A selector at the end of a sentence.
struct Wanted<'a>(Option<&'a Selector>);

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(selector) => write!(f, " `{selector}`"),
            None => Ok(()),
        }
    }
}
