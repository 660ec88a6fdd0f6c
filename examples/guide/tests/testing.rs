//! The chapter on testing: a service tested alone, in a cluster, and under many seeds.

use rpcnet::prelude::*;
use rpcnet_cluster::{
    ClusterEvent, ResilientClient,
    testkit::{TestCluster, TestNode, for_each_seed},
};

// ANCHOR: service
#[rpc_trait]
trait Stock {
    #[rpc(read)]
    async fn left(&self, item: String) -> rpcnet::Result<u32>;
}

struct Shelf;

impl Stock for Shelf {
    async fn left(&self, item: String) -> rpcnet::Result<u32> {
        match item.as_str() {
            "bolt" => Ok(3),
            _ => Err(rpcnet::AppError::msg("never heard of it")),
        }
    }
}
// ANCHOR_END: service

// ANCHOR: local
#[tokio::test]
async fn what_is_on_the_shelf_is_counted() {
    let stock = StockClient::local(Shelf);
    assert_eq!(stock.left("bolt".into()).await.ok(), Some(3));
    assert!(stock.left("nut".into()).await.is_err());
}
// ANCHOR_END: local

// ANCHOR: cluster
/// A node that calls, and three that work.
async fn shop(seed: u64) -> (TestCluster, TestNode, Vec<TestNode>) {
    let cluster = TestCluster::new(seed);
    let caller = cluster.node("caller").start().await;
    let mut workers = Vec::new();
    for label in ["a", "b", "c"] {
        let node = cluster.node(label).tag("role", "stock");
        workers.push(node.serve(|server| server.service(StockServer::new(Shelf))).start().await);
    }
    cluster.converged().await;
    (cluster, caller, workers)
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_vanishes_takes_no_call_with_it() {
    let (cluster, caller, workers) = shop(1).await;
    let stock = StockClient::new(ResilientClient::new(caller.registry()).select("role=stock"));

    // Its packets are lost without a sign: nothing refuses, nothing answers.
    cluster.cut(&caller, &workers[1]);
    for _ in 0..10 {
        assert_eq!(stock.left("bolt".into()).await.ok(), Some(3));
    }
    cluster.heal();
    caller.sees(&["caller", "a", "b", "c"]).await;
}
// ANCHOR_END: cluster

// ANCHOR: seeds
#[test]
fn a_stopped_worker_is_failed_once_and_comes_back() {
    for_each_seed(0..10, |seed| async move {
        let (cluster, caller, workers) = shop(seed).await;
        cluster.lose(0.05);
        workers[2].pause();
        caller.sees(&["caller", "a", "b"]).await;
        workers[2].resume();
        caller.sees(&["caller", "a", "b", "c"]).await;

        let failed = |told: &ClusterEvent| matches!(told, ClusterEvent::NodeFailed(_));
        let times = caller.told().iter().filter(|told| failed(&told.event)).count();
        assert_eq!(times, 1);
    });
}
// ANCHOR_END: seeds
