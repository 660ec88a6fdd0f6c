//! The registry itself: a task that takes in events, and the handle that everybody reads through.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{Address, Service, transport::Transport};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    events::{Published, Publisher, RegistryEvents, publisher},
    follow::{Follow, service},
    listed::Listed,
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
    pub(super) stale: Stale,
}

#[derive(Debug)]
struct Inner {
    published: Published,
    reports: mpsc::Sender<NodeId>,
    balancer: Balancer,
    chooser: Mutex<Chooser>,
}

/// Since when the picture is not kept up to date; `None` while it is, and always for a member's.
type Stale = watch::Receiver<Option<Instant>>;

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

    /// A registry for a process that is no member: it takes the picture of the cluster, and every change of it, from any one
    /// of these addresses, at which nodes serve calls that [offer their view](Self::service).
    ///
    /// When the node that is followed goes, the next one is, after a pause of at most 50 ms; what is different there is told
    /// as events, and nothing that was known. While all of them are away the registry goes on with its last picture, says
    /// [for how long](Self::stale_for), and tries them in turn, in the end every 2.5 s on average.
    ///
    /// Workers are as the followed node sees them: who is suspected there is degraded here, with φ told as 0, and a node that is
    /// cut off from its cluster tells its followers so. Events of splits are not told, and a worker that went while
    /// nobody was followed is told as [`NodeFailed`](ClusterEvent::NodeFailed), however it went.
    /// [`report_failure`](Self::report_failure) is ignored: who is no member accuses nobody. What calls find out about a
    /// worker counts as ever.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use rpcnet_cluster::{ResilientClient, WorkerRegistry};
    ///
    /// let registry = WorkerRegistry::follow(["10.0.0.5:7001", "10.0.0.6:7001"]).allow_plaintext().start();
    /// let client = ResilientClient::new(registry).select("role=worker");
    /// # }
    /// ```
    pub fn follow<A: Into<Address>>(addresses: impl IntoIterator<Item = A>) -> Follow {
        Follow::new(addresses.into_iter().map(Into::into).collect())
    }

    /// What a member serves so that others may [follow](Self::follow) its view: mounted on its server after it has joined.
    ///
    /// Whoever may call the server may read the view: addresses, labels and tags of all nodes. It is the method
    /// `RegistryFeed/follow`, by which [`Server::allow`](rpcnet::Server::allow) restricts it once it is mounted.
    ///
    /// A change is encoded once for all followers, who share a queue of 1024 changes; one that falls further behind gets the
    /// whole picture again. Does not keep the node running.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rpcnet::Server;
    /// use rpcnet_cluster::{ClusterMembership, WorkerRegistry};
    ///
    /// let mut server = Server::builder().bind("127.0.0.1:0").await?;
    /// let addr = server.local_addr();
    /// let cluster = ClusterMembership::builder().advertise(addr).join().await?;
    /// server.service(WorkerRegistry::service(&cluster))?;
    /// tokio::spawn(server.serve());
    ///
    /// let registry = WorkerRegistry::follow([addr]).start();
    /// registry.fresh().await;
    /// assert_eq!(registry.workers()[0].id, cluster.local_node_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn service(cluster: &ClusterMembership) -> impl Service + use<> {
        service(cluster)
    }

    /// A registry for those who have no cluster: its workers are a list, of addresses or of names that the system resolves
    /// (`host:port`).
    ///
    /// A name stands for all of its addresses, each of them a worker. It is resolved again every minute, and within 5 s when
    /// one of its workers cannot be reached; while it does not resolve, or to nothing, its last addresses stand. Workers that are
    /// no longer behind it get no new calls and finish those they have. A name has ten seconds to resolve, and holds up nobody
    /// else meanwhile; of more than 4096 addresses the rest is left out, and the log says so.
    ///
    /// Nobody tells of a listed worker which process it is, or how it is. Its id is made of its address, so that two processes
    /// with the same list agree on it; it is never suspected, draining or failed, and calls avoid it by what they find
    /// themselves. A keyed call is sent again to the same address, whose server refuses it if it has been started since
    /// and keeps its records in memory.
    ///
    /// ```no_run
    /// # async fn example() {
    /// use rpcnet_cluster::{ResilientClient, WorkerRegistry};
    ///
    /// let registry = WorkerRegistry::listed(["workers.example:7001", "10.0.0.6:7001"]).allow_plaintext().start();
    /// let client = ResilientClient::new(registry);
    /// # }
    /// ```
    pub fn listed<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Listed {
        Listed::new(names.into_iter().map(Into::into).collect())
    }

    /// For how long the picture has not been kept up to date; `None` while it is. Only a registry that
    /// [follows](Self::follow) is ever stale: from its start until a node has answered, and while all nodes are away. A
    /// connection that falls silent is found within 15 s (see [`Limits`](rpcnet::Limits), `keepalive_interval`).
    pub fn stale_for(&self) -> Option<Duration> {
        self.stale.borrow().map(|since| since.elapsed())
    }

    /// Waits until the picture is up to date; at once if it is. Dropping the future changes nothing.
    pub async fn fresh(&self) {
        // An error says that nobody keeps it up any more: then it stays as it is.
        if self.stale.clone().wait_for(Option::is_none).await.is_err() {
            std::future::pending::<()>().await;
        }
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
        source.handle_taken_in();
        tokio::spawn(reader.follow(source, reported));
        let chooser = Mutex::new(Chooser::new(&balancer, fastrand::Rng::new()));
        let stale = watch::channel(None).1;
        Self { inner: Arc::new(Inner { published, reports, balancer, chooser }), stale }
    }

    /// The same registry, which says by this whether it is kept up to date.
    pub(super) fn kept_up_by(self, stale: Stale) -> Self {
        Self { stale, ..self }
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
        let now = tokio::time::Instant::now().into_std();
        let runners: Vec<_> = field.iter().map(|worker| worker.runner(now)).collect();
        let among: Vec<_> = eligible(&runners).into_iter().map(|place| field[place]).collect();
        if among.is_empty() {
            return Err(SelectError::NoWorkers { selector, workers: snapshot.workers.len() });
        }
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

    /// The last one.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
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
                    source.handle_taken_in();
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
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, SelectError, WorkerRegistry};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
/// let selected = registry.select_worker(Some("role=worker"));
/// assert!(matches!(selected, Err(SelectError::NoWorkers { workers: 0, .. })));
/// # Ok(()) }
/// ```
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
