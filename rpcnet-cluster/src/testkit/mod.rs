//! A cluster in one process, over a network in memory and on tokio's clock (feature `testkit`).
//!
//! Under a paused clock a test that waits for a failure to be detected takes milliseconds. What fails is the network,
//! not the code: nodes run the same agents, servers and clients as in production.
//!
//! | what happens | how |
//! |---|---|
//! | a process starts, again after it ended | [`TestCluster::node`], [`TestNodeBuilder::start`] |
//! | it is killed; it ends as it should, at once or with notice | [`TestNode::kill`]; [`TestNode::shutdown`], [`TestNode::drain`] |
//! | it is stopped and goes on | [`TestNode::pause`], [`TestNode::resume`] |
//! | its packets are late | [`TestNode::slow_down`] |
//! | the network splits; a link fails, in one direction; it heals | [`TestCluster::partition`]; [`TestCluster::cut`], [`TestCluster::cut_one_way`]; [`TestCluster::heal`] |
//! | datagrams are lost | [`TestCluster::lose`] |
//!
//! A test waits for a view ([`TestCluster::converged`], [`TestNode::sees`]) rather than for a time, and reads every event a
//! node was told ([`TestNode::told`]). [`for_each_seed`] runs it under many seeds, and prints the line that repeats the one
//! that failed.
//!
//! ```
//! use rpcnet_cluster::{ResilientClient, testkit::{TestCluster, TestNode}};
//!
//! async fn setup_cluster() -> (TestNode, Vec<TestNode>) {
//!     let cluster = TestCluster::new(7);
//!     let director = cluster.node("director").tag("role", "director").start().await;
//!     let mut workers = Vec::new();
//!     for label in ["a", "b"] {
//!         let worker = cluster.node(label).tag("role", "worker");
//!         let worker = worker.serve(|server| server.register("compute", |bytes| async move { Ok(bytes) }));
//!         workers.push(worker.start().await);
//!     }
//!     cluster.converged().await;
//!     (director, workers)
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let (director, workers) = setup_cluster().await;
//! workers[0].shutdown().await;
//! assert!(ResilientClient::new(director.registry()).call("compute", vec![1, 2, 3]).await.is_ok());
//! # }
//! ```

mod history;
mod node;
mod seeds;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rpcnet::transport::memory::MemoryNetwork;
use uuid::Uuid;

use self::node::Running;
pub use self::node::{TestNode, TestNodeBuilder};
pub use self::{history::Told, seeds::for_each_seed};
use crate::membership::NodeId;

/// Where every node gossips, and where it serves calls.
const GOSSIP_PORT: u16 = 7946;
const RPC_PORT: u16 = 7000;

/// How many nodes are the others' seeds.
const SEEDS: usize = 2;

/// How long nodes may take to agree. Of virtual time: only a cluster that never agrees uses it up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A cluster under test: a network, and the nodes that were started on it.
///
/// Cheap to clone; clones are the same cluster.
/// ```
/// use rpcnet_cluster::testkit::TestCluster;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let cluster = TestCluster::new(7);
/// let (a, b, c) = (cluster.node("a").start().await, cluster.node("b").start().await, cluster.node("c").start().await);
/// cluster.converged().await;
///
/// cluster.partition(&[&a], &[&b, &c]);
/// a.sees(&["a"]).await; // seconds of the virtual clock, a millisecond of yours
/// b.sees(&["b", "c"]).await;
///
/// cluster.heal();
/// cluster.converged().await;
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestCluster {
    network: MemoryNetwork,
    nodes: Arc<Mutex<Nodes>>,
}

#[derive(Debug)]
struct Nodes {
    /// What ids are drawn from: rings and ties follow from them.
    random: fastrand::Rng,
    /// Hosts given out, by the label of the node that lives there.
    hosts: BTreeMap<String, IpAddr>,
    /// The nodes that run, by label.
    running: BTreeMap<String, Running>,
}

impl TestCluster {
    /// An empty cluster. The seed decides the nodes' ids, and which datagrams a lossy network loses.
    pub fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let nodes = Nodes { random, hosts: BTreeMap::new(), running: BTreeMap::new() };
        Self { network: MemoryNetwork::new(seed), nodes: Arc::new(Mutex::new(nodes)) }
    }

    /// The network between the nodes, with its latency and its losses.
    pub fn network(&self) -> &MemoryNetwork {
        &self.network
    }

    /// Settings of a node, which gets a host of its own. A label that was used before gets the host it had: the node is
    /// started again there.
    pub fn node(&self, label: &str) -> TestNodeBuilder {
        let mut nodes = self.nodes.lock();
        let next = nodes.hosts.len();
        let [high, low] = u16::try_from(next + 1).expect("fewer than 65 536 nodes").to_be_bytes();
        let new = IpAddr::V4(Ipv4Addr::new(10, 0, high, low));
        let ip = *nodes.hosts.entry(label.to_owned()).or_insert(new);
        let id = NodeId::new(Uuid::from_u128(nodes.random.u128(..)));
        TestNodeBuilder::new(self.clone(), label, ip, id)
    }

    /// Waits until every running node sees every running node and nobody else.
    ///
    /// # Panics
    ///
    /// When they do not agree within two minutes of virtual time; the message shows who sees whom.
    pub async fn converged(&self) {
        let agree = async {
            while !self.agree().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, agree).await.is_err() {
            panic!("the nodes do not agree who is there after {PATIENCE:?}: {:#?}", self.views().await);
        }
    }

    /// Cuts every link between the nodes of one side and those of the other: datagrams are lost, streams stall.
    pub fn partition(&self, one: &[&TestNode], other: &[&TestNode]) {
        let ips = |side: &[&TestNode]| side.iter().map(|node| node.ip()).collect::<Vec<_>>();
        self.network.partition(&ips(one), &ips(other));
    }

    /// Cuts the link between two nodes in both directions.
    pub fn cut(&self, one: &TestNode, other: &TestNode) {
        self.network.cut(one.ip(), other.ip());
    }

    /// Cuts what one node sends to another; what the other sends still arrives.
    pub fn cut_one_way(&self, from: &TestNode, to: &TestNode) {
        self.network.cut_one_way(from.ip(), to.ip());
    }

    /// Loses this share of all datagrams from now on, 0 to 1.
    pub fn lose(&self, share: f64) {
        self.network.set_loss(share);
    }

    /// Ends every cut. What was lost stays lost; streams go on where they were.
    pub fn heal(&self) {
        self.network.heal();
    }

    /// Addresses to join by: those of the first nodes, whether they run or not.
    fn seeds(&self) -> Vec<SocketAddr> {
        let nodes = self.nodes.lock();
        let mut hosts: Vec<_> = nodes.hosts.values().copied().collect();
        hosts.sort_unstable();
        hosts.into_iter().take(SEEDS).map(|ip| SocketAddr::new(ip, GOSSIP_PORT)).collect()
    }

    async fn agree(&self) -> bool {
        let views = self.views().await;
        views.values().all(|view| view.iter().eq(views.keys()))
    }

    /// Whom each running node sees, by label.
    async fn views(&self) -> BTreeMap<String, Vec<String>> {
        let memberships: Vec<_> = {
            let nodes = self.nodes.lock();
            nodes.running.iter().map(|(label, node)| (label.clone(), node.membership.clone())).collect()
        };
        let mut views = BTreeMap::new();
        for (label, membership) in memberships {
            let mut seen: Vec<_> =
                membership.visible_nodes().await.into_iter().map(|node| node.label.to_string()).collect();
            seen.sort_unstable();
            views.insert(label, seen);
        }
        views
    }
}
