//! A node under test: started, asked, killed, started again.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use rpcnet::{Drained, Server, ServerBuilder, ServerHandle};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    GOSSIP_PORT, PATIENCE, RPC_PORT, TestCluster,
    history::{History, Told},
};
use crate::{
    Balancer, ClusterMembership, ClusterMembershipBuilder, Keyring, LoadBalancing, NodeId, QuorumRule,
    WorkerRegistry,
};

/// Settings of a node under test, from [`TestCluster::node`].
///
/// ```
/// use rpcnet_cluster::testkit::TestCluster;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let cluster = TestCluster::new(7);
/// let node = cluster.node("worker-1").tag("role", "worker").capacity(16).start().await;
/// assert_eq!(node.label(), "worker-1");
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before `start`"]
pub struct TestNodeBuilder {
    cluster: TestCluster,
    label: String,
    ip: IpAddr,
    tags: Vec<(String, String)>,
    capacity: u32,
    server: Option<ServerBuilder>,
    balancing: Balancer,
    settings: ClusterMembershipBuilder,
    keyring: Option<Keyring>,
}

/// What of a node runs, and ends with it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) membership: ClusterMembership,
    serving: Option<JoinHandle<()>>,
    shutdown: Option<oneshot::Sender<()>>,
    server: Option<ServerHandle>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// A node under test. It runs until it is killed or shut down, whatever becomes of this handle.
/// ```
/// use rpcnet_cluster::{ClusterEvent, testkit::TestCluster};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let cluster = TestCluster::new(7);
/// let (a, b) = (cluster.node("a").start().await, cluster.node("b").start().await);
/// cluster.converged().await;
///
/// b.kill();
/// a.sees(&["a"]).await;
/// let failed = |event: &ClusterEvent| matches!(event, ClusterEvent::NodeFailed(node) if &*node.label == "b");
/// assert_eq!(a.told().iter().filter(|told| failed(&told.event)).count(), 1, "told, and told once");
///
/// let b = cluster.node("b").start().await; // a new process, on the same host
/// a.sees(&["a", "b"]).await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestNode {
    cluster: TestCluster,
    label: String,
    ip: IpAddr,
    membership: ClusterMembership,
    registry: WorkerRegistry,
    history: History,
}

impl TestNodeBuilder {
    pub(super) fn new(cluster: TestCluster, label: &str, ip: IpAddr, id: NodeId) -> Self {
        let (label, balancing) = (label.to_owned(), LoadBalancing::RoundRobin.into());
        let settings = ClusterMembership::builder().node_id(id);
        Self {
            cluster,
            label,
            ip,
            tags: Vec::new(),
            capacity: 0,
            server: None,
            balancing,
            settings,
            keyring: None,
        }
    }

    /// A tag of the node, such as `role` = `worker`.
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    /// How many calls the node wants to carry at once.
    pub fn capacity(mut self, calls: u32) -> Self {
        self.capacity = calls;
        self
    }

    /// What the node serves. One that serves nothing is a member and no worker.
    pub fn serve(mut self, services: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.server = Some(services(self.server.take().unwrap_or_else(Server::builder)));
        self
    }

    /// Seals the node's gossip, as [`ClusterMembershipBuilder::keyring`](crate::ClusterMembershipBuilder::keyring) does.
    pub fn keyring(mut self, keyring: impl Into<Keyring>) -> Self {
        self.keyring = Some(keyring.into());
        self
    }

    /// Which side of a split may go on, as [`ClusterMembershipBuilder::quorum`] does.
    pub fn quorum(mut self, rule: QuorumRule) -> Self {
        self.settings = self.settings.quorum(rule);
        self
    }

    /// What the node does when the sides of a split have found each other, as [`ClusterMembershipBuilder::reconcile`]
    /// does.
    pub fn reconcile<F, Fut>(mut self, with: F) -> Self
    where
        F: Fn(Vec<NodeId>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.settings = self.settings.reconcile(with);
        self
    }

    /// How the node's registry chooses among workers; round robin when not set.
    pub fn balancing(mut self, balancing: impl Into<Balancer>) -> Self {
        self.balancing = balancing.into();
        self
    }

    /// Starts the node. It joins in the background: [`TestCluster::converged`] waits for everybody.
    ///
    /// # Panics
    ///
    /// When a node of that label is running, or its services cannot be served.
    pub async fn start(self) -> TestNode {
        let Self { cluster, label, ip, tags, capacity, server, balancing, settings, keyring } = self;
        assert!(!cluster.nodes.lock().running.contains_key(&label), "the node {label} is running");
        let host = cluster.network.host(ip);
        let mut builder = settings
            .memory_host(host.clone())
            .bind(SocketAddr::new(ip, GOSSIP_PORT))
            .seeds(cluster.seeds())
            .label(&label)
            .capacity(capacity);
        if let Some(keyring) = keyring {
            builder = builder.keyring(keyring);
        }
        for (key, value) in tags {
            builder = builder.tag(key, value);
        }
        let (mut serving, mut shutdown, mut handle) = (None, None, None);
        if let Some(server) = server {
            let server = server.transport(host).bind(SocketAddr::new(ip, RPC_PORT)).await;
            let server = server.unwrap_or_else(|error| panic!("the node {label} cannot serve: {error}"));
            builder = builder.advertise(server.local_addr());
            let (stop, stopped) = oneshot::channel();
            (shutdown, handle) = (Some(stop), Some(server.handle()));
            serving = Some(tokio::spawn(server.serve_with_shutdown(async move {
                let _ = stopped.await;
            })));
        }
        let membership = builder.join().await;
        let membership = membership.unwrap_or_else(|error| panic!("the node {label} cannot join: {error}"));
        let history = History::of(&membership);
        let registry = WorkerRegistry::new(&membership, balancing);
        let running = Running { membership: membership.clone(), serving, shutdown, server: handle };
        cluster.nodes.lock().running.insert(label.clone(), running);
        TestNode { cluster, label, ip, membership, registry, history }
    }
}

impl TestNode {
    /// The node's name.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The address of its host.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The node's membership.
    pub fn membership(&self) -> &ClusterMembership {
        &self.membership
    }

    /// The node's registry of workers.
    pub fn registry(&self) -> WorkerRegistry {
        self.registry.clone()
    }

    /// Every event the node was told since it was started, and when.
    pub fn told(&self) -> Vec<Told> {
        self.history.told()
    }

    /// Waits until the node sees exactly the nodes with these labels, itself included; their order does not matter.
    ///
    /// # Panics
    ///
    /// When it does not within two minutes of virtual time; the message shows whom it sees.
    pub async fn sees(&self, labels: &[&str]) {
        let mut wanted = labels.to_vec();
        wanted.sort_unstable();
        let mut events = self.membership.subscribe();
        let seen = async {
            while self.seen().await != wanted {
                if events.recv().await.is_none() {
                    // The node has ended: its view stays as it is.
                    std::future::pending::<()>().await;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            let seen = self.seen().await;
            panic!("after {PATIENCE:?} the node {} sees {seen:?} and not {wanted:?}", self.label);
        }
    }

    async fn seen(&self) -> Vec<String> {
        let nodes = self.membership.visible_nodes().await;
        let mut labels: Vec<_> = nodes.iter().map(|node| node.label.to_string()).collect();
        labels.sort_unstable();
        labels
    }

    /// Stops the node as SIGSTOP does, as far as others can see: it sends nothing and takes nothing until it is
    /// [resumed](Self::resume). To itself it runs on, and finds that nobody answers.
    pub fn pause(&self) {
        self.cluster.network.pause(self.ip);
    }

    /// Lets the node go on. What was sent to it meanwhile arrives.
    pub fn resume(&self) {
        self.cluster.network.resume(self.ip);
    }

    /// Makes every packet to or from the node take longer by this much; zero ends it.
    pub fn slow_down(&self, by: Duration) {
        self.cluster.network.slow_down(self.ip, by);
    }

    /// Ends the node as SIGKILL does: its connections are reset, its ports refuse, and it says nothing to anybody. Handlers
    /// that were running are dropped.
    pub fn kill(&self) {
        self.cluster.network.kill(self.ip);
        self.cluster.nodes.lock().running.remove(&self.label);
    }

    /// Shuts the node down as a well-behaved process does: it leaves the cluster, lets its calls finish, and ends.
    pub async fn shutdown(&self) {
        let Some(mut running) = self.cluster.nodes.lock().running.remove(&self.label) else { return };
        running.membership.leave().await;
        if let Some(stop) = running.shutdown.take() {
            let _ = stop.send(());
        }
        if let Some(serving) = running.serving.take() {
            let _ = serving.await;
        }
    }

    /// Takes the node out as an operator does who restarts one after the other: [`ClusterMembership::drain`]. One that
    /// serves nothing just leaves, and one that does not run does nothing.
    pub async fn drain(&self, grace: Duration) -> Drained {
        // It stays among those that run until it has ended: dropped before, it would end at once.
        let found = self.cluster.nodes.lock().running.get(&self.label).map(|running| running.server.clone());
        let drained = match found {
            None => return Drained::default(),
            Some(Some(server)) => self.membership.drain(&server, grace).await,
            Some(None) => {
                self.membership.leave().await;
                Drained::default()
            }
        };
        self.cluster.nodes.lock().running.remove(&self.label);
        drained
    }
}
