//! A split of the network, and a service whose minority refuses writes: five nodes with a ledger each, in memory and in virtual time.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rpcnet::{Channel, Server, prelude::*};
use rpcnet_cluster::{
    ClusterEvent, ClusterMembership, Events,
    testkit::{TestCluster, TestNode},
};
use tokio::time::sleep;

// ANCHOR: service
#[rpc_trait]
trait Ledger {
    #[rpc(read)]
    async fn balance(&self) -> rpcnet::Result<u64>;

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64>;
}
// ANCHOR_END: service

#[derive(Default)]
struct Account(AtomicU64);

impl Ledger for Account {
    async fn balance(&self) -> rpcnet::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64> {
        Ok(self.0.fetch_add(cents, Ordering::Relaxed) + cents)
    }
}

/// The whole difference to a ledger that takes writes wherever it runs.
// ANCHOR: gate
fn gated(cluster: &ClusterMembership) -> rpcnet::ServerBuilder {
    Server::builder().layer(cluster.quorum_gate()).service(LedgerServer::new(Account::default()))
}
// ANCHOR_END: gate

/// Serves a ledger beside a node, for a client on the same host.
async fn ledger(cluster: &TestCluster, node: &TestNode) -> rpcnet::Result<LedgerClient> {
    let host = cluster.network().host(node.ip());
    let server = gated(node.membership()).transport(host.clone());
    let server = server.bind(SocketAddr::new(node.ip(), 9000)).await?;
    let client = LedgerClient::new(Channel::builder(server.local_addr()).transport(host).lazy());
    tokio::spawn(server.serve());
    Ok(client)
}

/// What a program does with the two events of a split.
// ANCHOR: events
async fn follow(cluster: ClusterMembership, mut events: Events) {
    let me = cluster.local_node_id();
    while let Some(event) = events.recv().await {
        match event {
            ClusterEvent::PartitionDetected { minority, majority } => {
                let part = if minority.contains(&me) { "minority" } else { "majority" };
                println!("ann is in the {part}: {} nodes against {}", minority.len(), majority.len());
            }
            ClusterEvent::PartitionHealed { rejoined, .. } => {
                println!("ann has {} nodes back", rejoined.len());
            }
            _ => {}
        }
    }
}
// ANCHOR_END: events

async fn deposit(name: &str, ledger: &LedgerClient) {
    match ledger.deposit(5).await {
        Ok(balance) => println!("{name} takes a deposit: {balance}"),
        Err(error) => println!("{name} refuses a deposit: {error}"),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> rpcnet::Result<()> {
    let cluster = TestCluster::new(1);
    let mut nodes = Vec::new();
    for name in ["ann", "bob", "cyd", "dan", "eve"] {
        nodes.push(cluster.node(name).start().await);
    }
    cluster.converged().await;
    let (ann, eve) = (&nodes[0], &nodes[4]);
    for node in [ann, eve] {
        let mut quorum = node.membership().quorum();
        quorum.wait_for(|quorum| quorum.held && quorum.total == 5).await.expect("the node runs");
    }
    tokio::spawn(follow(ann.membership().clone(), ann.membership().subscribe()));
    let (anns, eves) = (ledger(&cluster, ann).await?, ledger(&cluster, eve).await?);
    deposit("ann", &anns).await;

    println!("-- ann and bob are cut off");
    let (two, three) = nodes.split_at(2);
    cluster.partition(&two.iter().collect::<Vec<_>>(), &three.iter().collect::<Vec<_>>());
    ann.membership().quorum().wait_for(|quorum| !quorum.held).await.expect("the node runs");
    deposit("ann", &anns).await;
    println!("ann still tells the balance: {}", anns.balance().await?);
    deposit("eve", &eves).await;
    sleep(Duration::from_secs(20)).await;

    println!("-- the network is whole");
    cluster.heal();
    ann.membership().quorum().wait_for(|quorum| quorum.held).await.expect("the node runs");
    sleep(Duration::from_secs(5)).await;
    deposit("ann", &anns).await;
    Ok(())
}
