//! The kill of the tutorial, as a test of its reader.

// ANCHOR: test
use std::time::Duration;

use rpcnet_cluster::{
    ResilientClient,
    testkit::{TestCluster, TestNode},
};
use sums::{ComputeClient, ComputeServer, worker::Worker};

async fn start(cluster: &TestCluster, name: &str) -> TestNode {
    let node = cluster.node(name).tag("role", "worker");
    node.serve(|server| server.service(ComputeServer::new(Worker::new(name)))).start().await
}

#[tokio::test(start_paused = true)]
async fn calls_go_on_when_a_worker_is_killed() {
    let cluster = TestCluster::new(7);
    let caller = cluster.node("caller").start().await;
    let _ann = start(&cluster, "ann").await;
    let bob = start(&cluster, "bob").await;
    let _cyd = start(&cluster, "cyd").await;
    cluster.converged().await;

    let compute = ComputeClient::new(ResilientClient::new(caller.registry()).select("role=worker"));
    let calls: Vec<_> = (1..=9)
        .map(|n| {
            let compute = compute.clone();
            tokio::spawn(async move { compute.square(n).await })
        })
        .collect();
    // Half of the 20 ms that each call takes: all nine are under way, three of them at bob.
    tokio::time::sleep(Duration::from_millis(10)).await;
    bob.kill();

    for (n, call) in (1..).zip(calls) {
        let squared = call.await.unwrap().unwrap();
        assert_eq!(squared.value, n * n);
        assert_ne!(squared.by, "bob");
    }
}
// ANCHOR_END: test
