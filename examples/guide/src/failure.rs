//! What a client of a cluster does about failures, and what it can be told.

use std::{io, time::Duration};

use rpcnet::prelude::*;
use rpcnet_cluster::{
    AttemptEnd, CircuitBreaker, CircuitError, FailedAttempts, Health, Resilience, health_dashboard,
    prelude::*,
};

// ANCHOR: trait
#[rpc_trait]
trait Catalog {
    /// Changes nothing, so it may run twice; and when it takes long, it is made to.
    #[rpc(read, hedge)]
    async fn price(&self, article: String) -> rpcnet::Result<u64>;
}
// ANCHOR_END: trait

struct Shop;

impl Catalog for Shop {
    async fn price(&self, article: String) -> rpcnet::Result<u64> {
        Ok(article.len() as u64)
    }
}

// ANCHOR: client
fn catalog(registry: WorkerRegistry) -> CatalogClient<ResilientClient> {
    let client = ResilientClient::new(registry)
        .select("role=shop")
        .resilience(Resilience::default().attempts_max(4))
        .with(CallOptions::timeout(Duration::from_secs(2)).max_load(0.9));
    CatalogClient::new(client)
}
// ANCHOR_END: client

// ANCHOR: error
fn explain(error: &CallError) {
    let attempts = error.status().and_then(FailedAttempts::of);
    for attempt in attempts.into_iter().flat_map(FailedAttempts::iter) {
        println!("{} at {} after {:?}: {}", attempt.label, attempt.addr, attempt.took, attempt.status);
    }
}
// ANCHOR_END: error

// ANCHOR: breaker
async fn stock(breaker: &CircuitBreaker, query: impl Future<Output = io::Result<u64>>) -> Option<u64> {
    // "No such row" is an answer, and says nothing against the database.
    let counts = |error: &io::Error| error.kind() != io::ErrorKind::NotFound;
    match breaker.call(query, counts).await {
        Ok(stock) => Some(stock),
        Err(CircuitError::Failed(error)) if !counts(&error) => Some(0),
        Err(CircuitError::Failed(_) | CircuitError::Open { .. }) => None,
    }
}
// ANCHOR_END: breaker

// ANCHOR: dashboard
fn look(registry: &WorkerRegistry) {
    let dashboard = health_dashboard(registry);
    if dashboard.count(Health::Healthy) * 2 < dashboard.total() {
        eprintln!("most workers are not well");
    }
    println!("{dashboard}");
}
// ANCHOR_END: dashboard

#[tokio::test]
async fn a_cluster_of_one_answers_and_tells_how_it_went() {
    let server =
        Server::builder().service(CatalogServer::new(Shop)).bind("127.0.0.1:0").await.expect("a free port");
    let shop = ClusterMembership::builder().tag("role", "shop").advertise(server.local_addr());
    let shop = shop.join().await.expect("nobody else is needed");
    tokio::spawn(server.serve());
    let cluster =
        ClusterMembership::builder().seeds([shop.local_addr()]).join().await.expect("the shop is there");
    let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
    assert_eq!(catalog(registry.clone()).price("rope".into()).await.expect("the shop answers"), 4);
    look(&registry);

    let client = ResilientClient::new(registry).select("role=shop");
    // ANCHOR: report
    let (answer, report) = client.call_with_report("no/such method", vec![]).await;
    println!("{report}");
    let failed =
        report.attempts.iter().filter(|attempt| matches!(attempt.end, AttemptEnd::Failed(_))).count();
    // ANCHOR_END: report
    explain(&answer.expect_err("nobody has that method"));
    assert_eq!(failed, 1);
}

#[tokio::test]
async fn a_missing_row_is_an_answer() {
    let breaker = CircuitBreaker::new();
    for _ in 0..10 {
        let missing = async { Err(io::ErrorKind::NotFound.into()) };
        assert_eq!(stock(&breaker, missing).await, Some(0));
    }
    for _ in 0..5 {
        let broken = async { Err(io::ErrorKind::BrokenPipe.into()) };
        assert_eq!(stock(&breaker, broken).await, None);
    }
    let never = async { unreachable!("the breaker is open") };
    assert_eq!(stock(&breaker, never).await, None);
}

// ANCHOR: drain
async fn serve_until(stop: impl Future<Output = ()>, cluster: ClusterMembership, server: Server) -> usize {
    let handle = server.handle();
    tokio::spawn(server.serve());
    stop.await;
    cluster.drain(&handle, Duration::from_secs(20)).await.cut_off
}
// ANCHOR_END: drain

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_told_to_stop_leaves_after_its_notice() {
    let host = rpcnet::transport::memory::MemoryNetwork::new(1).host([10, 0, 0, 1]);
    let shop = Server::builder().service(CatalogServer::new(Shop)).transport(host.clone());
    let shop = shop.bind("10.0.0.1:80").await.expect("a free port");
    let node =
        ClusterMembership::builder().memory_host(host).bind("10.0.0.1:7946").advertise(shop.local_addr());
    let node = node.join().await.expect("nobody else is needed");
    let begun = tokio::time::Instant::now();
    assert_eq!(serve_until(std::future::ready(()), node, shop).await, 0);
    assert!(begun.elapsed() >= ClusterMembership::DRAIN_NOTICE);
}
