//! A service tested with the kit: a cluster in this process, in virtual time, whose workers are stopped, killed and cut off.

use std::time::Duration;

use rpcnet::{Reason, prelude::*};
use rpcnet_cluster::{
    ClusterEvent, ResilientClient,
    testkit::{TestCluster, TestNode},
};

/// The service under test.
#[rpc_trait]
trait Stock {
    #[rpc(read)]
    async fn left(&self, item: String) -> rpcnet::Result<u32>;

    /// At most once: nothing is said of repeating it.
    async fn take(&self, item: String) -> rpcnet::Result<u32>;
}

struct Shelf;

impl Stock for Shelf {
    async fn left(&self, item: String) -> rpcnet::Result<u32> {
        match item.as_str() {
            "bolt" => Ok(3),
            _ => Err(AppError::msg("never heard of it")),
        }
    }

    async fn take(&self, _item: String) -> rpcnet::Result<u32> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(2)
    }
}

/// What each test begins with: a director and three workers who know each other.
async fn setup_cluster() -> (TestCluster, TestNode, Vec<TestNode>) {
    let cluster = TestCluster::new(1);
    let director = cluster.node("director").tag("role", "director").start().await;
    let mut workers = Vec::new();
    for label in ["ann", "bob", "cyd"] {
        let node = cluster.node(label).tag("role", "worker");
        workers.push(node.serve(|server| server.service(StockServer::new(Shelf))).start().await);
    }
    cluster.converged().await;
    (cluster, director, workers)
}

fn stock(director: &TestNode) -> StockClient<ResilientClient> {
    StockClient::new(ResilientClient::new(director.registry()).select("role=worker"))
}

#[tokio::test]
async fn the_service_alone_needs_no_cluster() {
    let stock = StockClient::local(Shelf);
    assert_eq!(stock.left("bolt".into()).await.unwrap(), 3);
    assert_eq!(stock.left("nut".into()).await.unwrap_err().to_string(), "never heard of it");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_after_a_worker_was_stopped() {
    let (_cluster, director, workers) = setup_cluster().await;
    workers[0].shutdown().await;
    assert_eq!(stock(&director).left("bolt".into()).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_killed_worker_is_failed_within_eight_seconds_and_told_once() {
    let (_cluster, director, workers) = setup_cluster().await;
    let killed = tokio::time::Instant::now();
    workers[0].kill();
    director.sees(&["director", "bob", "cyd"]).await;
    assert!(killed.elapsed() < Duration::from_secs(8), "{:?}", killed.elapsed());
    let failed =
        |event: &ClusterEvent| matches!(event, ClusterEvent::NodeFailed(node) if &*node.label == "ann");
    assert_eq!(director.told().iter().filter(|told| failed(&told.event)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_not_done_again() {
    let (_cluster, director, workers) = setup_cluster().await;
    let stock = stock(&director);
    let taking = tokio::spawn(async move { stock.take("bolt".into()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for worker in &workers {
        worker.kill();
    }
    let error = taking.await.unwrap().unwrap_err();
    assert_eq!(error.executed(), Executed::Unknown, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_director_that_is_cut_off_says_that_nothing_was_done() {
    let (cluster, director, workers) = setup_cluster().await;
    cluster.partition(&[&director], &workers.iter().collect::<Vec<_>>());
    director.sees(&["director"]).await;
    let error = stock(&director).take("bolt".into()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::NoWorkers), Executed::No), "{error}");

    cluster.heal();
    director.sees(&["director", "ann", "bob", "cyd"]).await;
    assert_eq!(stock(&director).take("bolt".into()).await.unwrap(), 2);
}
