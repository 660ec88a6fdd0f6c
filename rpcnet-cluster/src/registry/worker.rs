//! One worker, as the registry hands it out.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    balance::{About, Candidate, Place, ZONE_TAG},
    dispatch::{Line, Runner},
    membership::{DRAINING_TAG, Generation, Node, NodeId},
};

/// A node that serves calls: a member of the cluster that advertised where its RPC service listens.
///
/// A value that does not change: what the registry held of the worker when it was asked. What this process has to do with the
/// worker, its calls in flight and its connection, is shared by all such values of one process of the worker, and is as it
/// is now.
///
/// Cheap to clone. Whoever holds one keeps the connection to the worker open, also after the worker has left the registry:
/// a change of the membership ends no call.
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::Server;
/// use rpcnet_cluster::{ClusterMembership, LoadBalancing, WorkerRegistry};
///
/// let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) }).bind("127.0.0.1:0").await?;
/// let node = ClusterMembership::builder().label("ann").advertise(server.local_addr()).join().await?;
/// tokio::spawn(server.serve());
///
/// let registry = WorkerRegistry::new(&node, LoadBalancing::default());
/// let worker = registry.select_worker(None)?;
/// assert_eq!((&*worker.label, worker.is_healthy()), ("ann", true));
/// // To this worker and no other: `ResilientClient` is for calls that go to whoever is well.
/// assert_eq!(worker.call("echo", "hello").await?, "hello");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Worker {
    /// The node's id.
    pub id: NodeId,
    /// The node's name for people; may be empty.
    pub label: Arc<str>,
    /// Where its RPC service listens.
    pub addr: SocketAddr,
    /// Its tags, which selectors look at.
    pub tags: Arc<BTreeMap<String, String>>,
    /// How many calls it wants to carry at once; 0 when it did not say.
    pub capacity: u32,
    generation: Generation,
    suspected: bool,
    degraded: bool,
    about: About,
    line: Arc<Line>,
}

/// One run of a worker's process. A worker that was restarted is another instance: it remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instance {
    pub(crate) id: NodeId,
    pub(crate) generation: Generation,
}

impl From<&Node> for Instance {
    fn from(node: &Node) -> Self {
        Self { id: node.id, generation: node.generation }
    }
}

impl Worker {
    /// The worker that a node is, reached over a line.
    pub(super) fn new(node: &Node, suspected: bool, line: Arc<Line>) -> Self {
        Self {
            id: node.id,
            label: Arc::clone(&node.label),
            addr: line.addr(),
            tags: Arc::clone(&node.tags),
            capacity: node.capacity,
            generation: node.generation,
            suspected,
            degraded: node.degraded,
            about: About::new(node.capacity, &node.tags),
            line,
        }
    }

    /// The same worker, as it is seen from a zone of so many.
    pub(super) fn seen_from(mut self, zone: &str, zones: usize) -> Self {
        self.about.place = if self.zone() == Some(zone) { Place::Near { zones } } else { Place::Elsewhere };
        self
    }

    pub(super) fn zone(&self) -> Option<&str> {
        self.tags.get(ZONE_TAG).map(String::as_str)
    }

    /// How many calls this process has in flight to the worker now: begun through the registry it comes from, and neither
    /// ended nor given up.
    ///
    /// Exact: a call counts from before it is sent until its future has ended or was dropped.
    pub fn active_connections(&self) -> u32 {
        self.line.in_flight()
    }

    /// An estimate of how long the worker takes to answer a call of this process now; `None` before it has answered one.
    ///
    /// A peak average over all methods: a slow answer raises it at once, quick ones lower it over ten seconds, and so does
    /// having no call. A failure counts as an answer after five seconds, or after as long as the worker asked to be left
    /// alone; a call that was given up, with the time it had taken; silence, while calls wait, with its length. Opening a
    /// connection is not part of it, and of a call with streams only the time to the method's answer.
    ///
    /// It is what [`LoadBalancing::PeakEwma`](crate::LoadBalancing::PeakEwma) goes by, not a figure for a report.
    pub fn latency(&self) -> Option<Duration> {
        let now = tokio::time::Instant::now().into_std();
        self.candidate(now).latency()
    }

    /// Whether nothing speaks against sending calls here: nobody in the cluster suspected the worker when it was taken from
    /// the registry, it had not said that it is unwell, it was not draining, and this process could reach it when it last tried.
    pub fn is_healthy(&self) -> bool {
        !self.is_degraded() && !self.is_draining()
    }

    /// Whether the worker is suspected, or says itself that it is unwell ([`Node::degraded`]), or could not be reached a
    /// moment ago, or its calls fail. It is still a member, and gets calls when there is no other.
    pub fn is_degraded(&self) -> bool {
        self.is_doubtful() || !self.line.admits()
    }

    /// Whether the worker is about to leave: it gets no new calls, and finishes those it has. See
    /// [`ClusterMembership::drain`](crate::ClusterMembership::drain).
    pub fn is_draining(&self) -> bool {
        self.tags.contains_key(DRAINING_TAG)
    }

    pub(crate) fn instance(&self) -> Instance {
        Instance { id: self.id, generation: self.generation }
    }

    /// The worker as a strategy sees it now.
    pub(crate) fn candidate(&self, now: Instant) -> Candidate<'_> {
        let (instance, gauge) = (self.instance(), self.line.gauge());
        Candidate { instance, about: &self.about, tags: &self.tags, gauge, now }
    }

    /// The worker as the scheduler of a call sees it now.
    pub(crate) fn runner(&self, now: Instant) -> Runner {
        let (ejected, refused) = self.line.ejected(now);
        Runner { instance: self.instance(), suspected: self.is_doubtful(), ejected, refused }
    }

    /// Membership speaks against it: others' accusation, or its own word.
    fn is_doubtful(&self) -> bool {
        self.suspected || self.degraded
    }

    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl From<&Worker> for NodeId {
    fn from(worker: &Worker) -> Self {
        worker.id
    }
}

/// The name of a worker in errors and logs: label and address.
impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.fmt(f)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("addr", &self.addr)
            .field("tags", &self.tags)
            .field("capacity", &self.capacity)
            .field("suspected", &self.suspected)
            .field("degraded", &self.degraded)
            .field("active_connections", &self.active_connections())
            .finish_non_exhaustive()
    }
}
