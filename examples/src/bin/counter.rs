//! A split of the network, and a service that takes writes on both sides and merges them: a counter that only grows.
//!
//! A number for each node, which that node alone raises; the value is their sum, and two replicas are merged by taking the
//! larger number of each (a G-counter; Shapiro et al., "Conflict-free replicated data types", 2011).

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;
use rpcnet::{Channel, prelude::*, transport::memory::MemoryHost};
use rpcnet_cluster::{
    ClusterEvent, ClusterMembership, NodeId,
    testkit::{TestCluster, TestNode},
};

type Counts = BTreeMap<String, u64>;

#[rpc_trait]
trait Visits {
    async fn visit(&self) -> rpcnet::Result<()>;

    #[rpc(read)]
    async fn counts(&self) -> rpcnet::Result<Counts>;
}

/// One node's replica.
#[derive(Clone)]
struct Replica {
    name: &'static str,
    counts: Arc<Mutex<Counts>>,
    /// To find the others by: there from the moment the node has been started.
    node: Arc<OnceLock<(ClusterMembership, MemoryHost)>>,
}

impl Visits for Replica {
    async fn visit(&self) -> rpcnet::Result<()> {
        *self.counts.lock().entry(self.name.to_owned()).or_default() += 1;
        Ok(())
    }

    async fn counts(&self) -> rpcnet::Result<Counts> {
        Ok(self.counts.lock().clone())
    }
}

// ANCHOR: merge
impl Replica {
    /// What the nodes that are back hold: the larger number of each is the later one.
    async fn merge_from(&self, back: Vec<NodeId>) {
        for node in back {
            // Who is gone again takes part in the next healing.
            let Some(counts) = self.counts_of(node).await else { continue };
            let mut held = self.counts.lock();
            for (name, count) in counts {
                let mine = held.entry(name).or_default();
                *mine = count.max(*mine);
            }
        }
    }
}
// ANCHOR_END: merge

impl Replica {
    fn new(name: &'static str) -> Self {
        Self { name, counts: Arc::default(), node: Arc::default() }
    }

    async fn counts_of(&self, node: NodeId) -> Option<Counts> {
        let (membership, host) = self.node.get()?;
        let members = membership.visible_nodes().await;
        let addr = members.iter().find(|member| member.id == node)?.rpc_addr?;
        let visits = VisitsClient::new(Channel::builder(addr).transport(host.clone()).lazy());
        visits.with(CallOptions::timeout(Duration::from_secs(2))).counts().await.ok()
    }

    fn told(&self) -> String {
        let counts = self.counts.lock();
        let each: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        format!("{} counts {}: {}", self.name, counts.values().sum::<u64>(), each.join(", "))
    }
}

async fn start(cluster: &TestCluster, replica: &Replica) -> TestNode {
    let (served, merging) = (replica.clone(), replica.clone());
    let node = cluster.node(replica.name).serve(|server| server.service(VisitsServer::new(served)));
    // ANCHOR: reconcile
    let node = node.reconcile(move |back| {
        let replica = merging.clone();
        async move { replica.merge_from(back).await }
    });
    // ANCHOR_END: reconcile
    let node = node.start().await;
    let found = (node.membership().clone(), cluster.network().host(node.ip()));
    assert!(replica.node.set(found).is_ok(), "a node is started once");
    node
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> rpcnet::Result<()> {
    let cluster = TestCluster::new(1);
    let replicas = ["ann", "bob", "cyd"].map(Replica::new);
    let mut nodes = Vec::new();
    for replica in &replicas {
        nodes.push(start(&cluster, replica).await);
    }
    cluster.converged().await;
    let ann = nodes[0].membership();
    ann.quorum().wait_for(|quorum| quorum.held && quorum.total == 3).await.expect("the node runs");

    println!("-- ann is cut off, and both sides are visited");
    cluster.partition(&[&nodes[0]], &[&nodes[1], &nodes[2]]);
    for (replica, visits) in replicas.iter().zip([2, 3, 1]) {
        for _ in 0..visits {
            replica.visit().await?;
        }
        println!("{}", replica.told());
    }
    tokio::time::sleep(Duration::from_secs(20)).await;

    println!("-- the network is whole");
    let mut events = ann.subscribe();
    cluster.heal();
    while let Some(event) = events.recv().await {
        match event {
            ClusterEvent::ViewsMerged { .. } => println!("the views are one: {}", replicas[0].told()),
            ClusterEvent::PartitionHealed { .. } => break,
            _ => {}
        }
    }
    println!("reconciled: {}", replicas[0].told());
    Ok(())
}
