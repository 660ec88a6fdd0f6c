//! The health of a cluster's workers, for an operator: as values, and as text.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use super::{WorkerRegistry, losses::Loss, worker::Worker};
use crate::membership::NodeId;

/// How many characters of a label are shown.
const LABEL_MAX: usize = 32;

/// How a worker is doing, as this process sees it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, Health, LoadBalancing, WorkerRegistry, health_dashboard};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
/// let dashboard = health_dashboard(&registry);
/// let failed = dashboard.workers().iter().filter(|worker| worker.health == Health::Failed);
/// assert_eq!(failed.count(), 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Health {
    /// Nothing speaks against sending calls to it.
    Healthy,
    /// It is a member, and somebody suspects it, or this process cannot reach it, or its calls fail. It gets calls when there is
    /// no other.
    Degraded,
    /// It is about to leave: it finishes the calls it has, and gets no new ones.
    Draining,
    /// It was a member and failed within the last ten minutes, and has not come back.
    Failed,
}

impl Health {
    const ALL: [Health; 4] = [Health::Healthy, Health::Degraded, Health::Draining, Health::Failed];
}

/// One line of a [`HealthDashboard`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry, health_dashboard};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
/// for worker in health_dashboard(&registry).workers() {
///     println!("{} at {}: {} of {} calls", worker.label, worker.addr, worker.active_connections, worker.capacity);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WorkerHealth {
    /// The node's id.
    pub id: NodeId,
    /// The node's name for people; may be empty.
    pub label: Arc<str>,
    /// Where it serves, or served.
    pub addr: SocketAddr,
    /// How it is doing.
    pub health: Health,
    /// Calls of this process in flight to it.
    pub active_connections: u32,
    /// How many calls it wants to carry at once; 0 when it did not say.
    pub capacity: u32,
    /// An estimate of how long it takes to answer now: see [`Worker::latency`].
    pub latency: Option<Duration>,
}

impl WorkerHealth {
    fn of(worker: &Worker) -> Self {
        let health = match worker {
            worker if worker.is_draining() => Health::Draining,
            worker if worker.is_degraded() => Health::Degraded,
            _ => Health::Healthy,
        };
        Self {
            id: worker.id,
            label: Arc::clone(&worker.label),
            addr: worker.addr,
            health,
            active_connections: worker.active_connections(),
            capacity: worker.capacity,
            latency: worker.latency(),
        }
    }

    /// `None` of a node that never served.
    fn lost(loss: &Loss) -> Option<Self> {
        Some(Self {
            id: loss.node.id,
            label: Arc::clone(&loss.node.label),
            addr: loss.node.rpc_addr?,
            health: Health::Failed,
            active_connections: 0,
            capacity: loss.node.capacity,
            latency: None,
        })
    }

    /// Calls in flight from this process as a share of the capacity: `None` when the worker did not say what it can carry.
    pub fn load(&self) -> Option<f64> {
        (self.capacity > 0).then(|| f64::from(self.active_connections) / f64::from(self.capacity))
    }
}

/// The health of all workers at one moment, as one process sees it: from [`health_dashboard`].
///
/// As text it is a table for a terminal, of at most some 100 columns:
///
/// ```text
/// workers         4
///   healthy       2   50.0 %
///   degraded      1   25.0 %
///   draining      0    0.0 %
///   failed        1   25.0 %
///
/// worker                            address                state     calls  capacity    load    latency
/// worker-1                          127.0.0.1:40001        healthy       3        16    19 %     2.1 ms
/// ```
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry, health_dashboard};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let dashboard = health_dashboard(&WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma));
/// assert!(dashboard.workers().is_empty());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HealthDashboard {
    workers: Vec<WorkerHealth>,
}

/// The health of the workers in a registry, now: of those that are members, and of those that failed within the last ten
/// minutes and have not come back.
///
/// Takes no lock that a call waits for; some hundred nanoseconds a worker.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry, health_dashboard};
///
/// let cluster = ClusterMembership::builder().join().await?;
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
/// let dashboard = health_dashboard(&registry);
/// println!("{dashboard}");
/// assert_eq!(dashboard.total(), 0);
/// # Ok(()) }
/// ```
pub fn health_dashboard(registry: &WorkerRegistry) -> HealthDashboard {
    let (snapshot, now) = (registry.snapshot(), tokio::time::Instant::now().into_std());
    let lost = |loss: &&Loss| {
        loss.is_recent(now) && snapshot.nodes.binary_search_by_key(&loss.node.id, |node| node.id).is_err()
    };
    let failed = snapshot.failed.iter().filter(lost).filter_map(WorkerHealth::lost);
    HealthDashboard { workers: snapshot.workers.iter().map(WorkerHealth::of).chain(failed).collect() }
}

impl HealthDashboard {
    /// Every worker, those that failed last.
    pub fn workers(&self) -> &[WorkerHealth] {
        &self.workers
    }

    /// How many workers there are, those that failed included.
    pub fn total(&self) -> usize {
        self.workers.len()
    }

    /// How many of them are in this state.
    pub fn count(&self, health: Health) -> usize {
        self.workers.iter().filter(|worker| worker.health == health).count()
    }

    /// What part of all workers is in this state, in percent; 0 when there are none.
    pub fn percent(&self, health: Health) -> f64 {
        if self.workers.is_empty() { 0.0 } else { self.count(health) as f64 * 100.0 / self.total() as f64 }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Health::Healthy => "healthy",
            Health::Degraded => "degraded",
            Health::Draining => "draining",
            Health::Failed => "failed",
        })
    }
}

impl fmt::Display for HealthDashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:>4}", "workers", self.total())?;
        for health in Health::ALL {
            writeln!(f, "  {health:<10} {:>4}  {:>5.1} %", self.count(health), self.percent(health))?;
        }
        if !self.workers.is_empty() {
            writeln!(f)?;
            write!(f, "{:<LABEL_MAX$}  {:<21}  {:<8}", "worker", "address", "state")?;
            writeln!(f, "  {:>5}  {:>8}  {:>6}  {:>9}", "calls", "capacity", "load", "latency")?;
        }
        self.workers.iter().try_for_each(|worker| writeln!(f, "{worker}"))
    }
}

impl fmt::Display for WorkerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { addr, health, active_connections, capacity, .. } = self;
        let unknown = || "-".to_owned();
        let load = self.load().map_or_else(unknown, |load| format!("{:.0} %", load * 100.0));
        let latency =
            self.latency.map_or_else(unknown, |latency| format!("{:.1} ms", latency.as_secs_f64() * 1e3));
        write!(f, "{:<LABEL_MAX$}  {:<21}  {health:<8}", self.name(), addr.to_string())?;
        write!(f, "  {active_connections:>5}  {capacity:>8}  {load:>6}  {latency:>9}")
    }
}

impl WorkerHealth {
    /// The label, or the id where there is none. A label is whatever another process says: it must not move the cursor.
    fn name(&self) -> String {
        let label = if self.label.is_empty() { self.id.to_string() } else { self.label.to_string() };
        let shown = label.chars().map(|character| if character.is_control() { '?' } else { character });
        shown.take(LABEL_MAX).collect()
    }
}
