//! A cluster, and what happens to it.

use std::{net::SocketAddr, time::Duration};

use rpcnet::{CallError, Executed, prelude::*};
use rpcnet_cluster::{
    ClusterEvent, ResilientClient,
    testkit::{TestCluster, TestNode, TestNodeBuilder},
};
use tokio::time::Instant;

use crate::world::{BenchClient, BenchServer, Probe, settle};

/// A cluster of a director and three workers.
struct Field {
    cluster: TestCluster,
    director: TestNode,
    workers: Vec<TestNode>,
    probes: Vec<Probe>,
}

impl Field {
    async fn new() -> Self {
        let cluster = TestCluster::new(7);
        let director = cluster.node("director").tag("role", "director").start().await;
        let probes: Vec<_> = (0..3).map(|_| Probe::default()).collect();
        let mut workers = Vec::new();
        for (probe, label) in probes.iter().zip(["a", "b", "c"]) {
            workers.push(worker(&cluster, label, probe).start().await);
        }
        cluster.converged().await;
        Self { cluster, director, workers, probes }
    }

    fn bench(&self) -> BenchClient<ResilientClient> {
        BenchClient::new(ResilientClient::new(self.director.registry()).select("role=worker"))
    }

    /// The worker whose handler runs.
    fn busy(&self) -> usize {
        self.probes.iter().position(|probe| probe.began() > probe.ended()).expect("a worker at work")
    }
}

fn worker(cluster: &TestCluster, label: &str, probe: &Probe) -> TestNodeBuilder {
    let probe = probe.clone();
    cluster.node(label).tag("role", "worker").serve(|server| server.service(BenchServer::new(probe)))
}

/// Row 1: a worker's process dies.
#[tokio::test(start_paused = true)]
async fn row_1_a_dead_worker_is_reported_once_within_seconds_and_leaves_the_pool_by_itself() {
    let field = Field::new().await;
    let registry = field.director.registry();
    let mut events = registry.subscribe();
    while registry.worker_count() < 3 {
        events.recv().await.unwrap();
    }
    let dead = field.workers[1].membership().local_node_id();
    let killed = Instant::now();
    field.workers[1].kill();
    let failed = loop {
        if let ClusterEvent::NodeFailed(node) = events.recv().await.unwrap() {
            break node;
        }
    };
    assert!(killed.elapsed() < Duration::from_secs(8), "{:?}", killed.elapsed());
    assert_eq!((failed.id, failed.rpc_addr), (dead, Some("10.0.0.3:7000".parse().unwrap())));
    assert_eq!(failed.tags.get("role").map(String::as_str), Some("worker"));
    assert_eq!(registry.worker_count(), 2);
    // Every node is told, and none twice.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let again = std::iter::from_fn(|| futures_now(events.recv())).flatten();
    assert_eq!(again.filter(|event| matches!(event, ClusterEvent::NodeFailed(_))).count(), 0);
    field.cluster.converged().await;
}

/// Row 1 for every node, and for a host that falls silent as well: only φ can tell then.
#[tokio::test(start_paused = true)]
async fn row_1_every_node_is_told_once_and_drops_the_worker_also_when_its_host_falls_silent() {
    for silent in [false, true] {
        let field = Field::new().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let (victim, id) = (&field.workers[1], field.workers[1].membership().local_node_id());
        let others = [&field.director, &field.workers[0], &field.workers[2]];
        let registries: Vec<_> = others.iter().map(|node| node.registry()).collect();
        let mut events: Vec<_> = registries.iter().map(|registry| registry.subscribe()).collect();
        let died = Instant::now();
        if silent {
            others.iter().for_each(|other| field.cluster.cut(other, victim));
        } else {
            victim.kill();
        }
        let mut slowest = Duration::ZERO;
        for (events, registry) in events.iter_mut().zip(&registries) {
            let failed = loop {
                if let ClusterEvent::NodeFailed(node) = events.recv().await.unwrap() {
                    break node;
                }
            };
            slowest = slowest.max(died.elapsed());
            assert_eq!((failed.id, failed.addr.port(), failed.tag("role")), (id, 7_946, Some("worker")));
            assert!(registry.workers().iter().all(|worker| worker.id != id), "out of the pool by itself");
        }
        let (least, most) = if silent { (4, 8) } else { (0, 2) };
        let range = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(range.contains(&slowest), "silent={silent}: {slowest:?}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        for events in &mut events {
            let again = std::iter::from_fn(|| futures_now(events.recv())).flatten();
            let news: Vec<_> = again.filter(|event| !matches!(event, ClusterEvent::NodeJoined(_))).collect();
            assert_eq!(news, [], "told once, and nothing else");
        }
    }
}

/// The result of a future that is ready now.
fn futures_now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

/// Row 1, the other half: for calls it takes milliseconds.
#[tokio::test(start_paused = true)]
async fn row_1_calls_in_flight_on_a_dead_worker_are_answered_by_another_within_milliseconds() {
    let field = Field::new().await;
    let bench = field.bench();
    let calls: Vec<_> = (0..30)
        .map(|n| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.slow_echo(n.to_string()).await })
        })
        .collect();
    settle().await;
    let killed = Instant::now();
    assert!(field.probes[0].began() > field.probes[0].ended(), "calls are in flight on it");
    field.workers[0].kill();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), n.to_string());
    }
    assert!(killed.elapsed() < Duration::from_millis(150), "{:?}", killed.elapsed());
}

/// Row 6: a worker fails a call.
#[tokio::test(start_paused = true)]
async fn row_6_no_worker_is_tried_twice_before_the_others_and_the_error_lists_them() {
    let field = Field::new().await;
    field.workers.iter().for_each(TestNode::kill);
    let error = field.bench().echo("anybody?".into()).await.unwrap_err();
    assert_eq!(error.executed(), Executed::No, "{error}");
    let text = error.to_string();
    for worker in ["10.0.0.2:7000", "10.0.0.3:7000", "10.0.0.4:7000"] {
        assert!(text.contains(worker), "{text}");
    }
}

/// Row 6, for a method that must not run twice.
#[tokio::test(start_paused = true)]
async fn row_6_what_may_have_run_is_not_repeated_unless_it_is_idempotent() {
    let field = Field::new().await;
    let call = tokio::spawn({
        let bench = field.bench();
        async move { bench.wait().await }
    });
    settle().await;
    field.workers[field.busy()].kill();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    let began: usize = field.probes.iter().map(Probe::began).sum();
    assert_eq!(began, 1);
}

/// Row 11: any of these, unnoticed by the caller.
#[tokio::test(start_paused = true)]
async fn row_11_a_stream_of_calls_notices_nothing_of_a_kill_and_a_restart() {
    let field = Field::new().await;
    let bench = field.bench();
    let calls = tokio::spawn(async move {
        for n in 0..2_000 {
            assert_eq!(bench.echo(n.to_string()).await.unwrap(), n.to_string());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    field.workers[2].kill();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let reborn = Probe::default();
    worker(&field.cluster, "c", &reborn).start().await;
    calls.await.unwrap();
    field.cluster.converged().await;
    assert!(
        field.director.registry().workers().iter().any(|worker| &*worker.label == "c" && worker.is_healthy())
    );
}

/// Row 16 over a cluster: the repeat goes to the instance that remembers, or is honest.
#[tokio::test(start_paused = true)]
async fn row_16_a_keyed_call_whose_worker_died_is_not_run_by_another() {
    let field = Field::new().await;
    let bench = field.bench();
    let id = Uuid::from_u128(7);
    assert_eq!(bench.charge(id, "ann".into(), 500).await.unwrap(), 500);
    assert_eq!(
        bench.charge(id, "ann".into(), 500).await.unwrap(),
        500,
        "the repeat is answered from the cache"
    );
    let call = tokio::spawn({
        let bench = bench.clone();
        async move { bench.charge(Uuid::from_u128(8), "ann".into(), 500).await }
    });
    settle().await;
    field.workers[field.busy()].kill();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    let began: usize = field.probes.iter().map(Probe::began).sum();
    assert_eq!(began, 2, "each request ran once");
}

/// Bad input on the gossip port.
#[tokio::test(start_paused = true)]
async fn garbage_on_the_gossip_port_changes_nothing_while_calls_go_on() {
    let field = Field::new().await;
    let stranger = field.cluster.network().host([10, 9, 9, 9]).bind_datagrams(0).unwrap();
    let nodes: Vec<_> = field.workers.iter().chain([&field.director]).collect();
    let bench = field.bench();
    for n in 0..200u8 {
        let garbage: Vec<u8> = (0..n).map(|byte| byte.wrapping_mul(n) ^ 0x5a).collect();
        for node in &nodes {
            stranger
                .send_to(&garbage, SocketAddr::new(node.ip(), node.membership().local_addr().port()))
                .unwrap();
        }
        assert_eq!(bench.echo(n.to_string()).await.unwrap(), n.to_string());
    }
    settle().await;
    for node in &nodes {
        assert_eq!(node.membership().visible_nodes().await.len(), 4);
        assert_eq!(node.membership().counters().datagrams_unreadable.total(), 200);
    }
}
