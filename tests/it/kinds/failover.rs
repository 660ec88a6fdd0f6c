//! Calls with streams over a cluster whose workers fail: what goes on elsewhere, and what cannot.

use std::time::Duration;

use rpcnet::{CallError, Executed, Reason, prelude::*};
use rpcnet_cluster::{
    LoadBalancing, ResilientClient,
    testkit::{TestCluster, TestNode},
};

use super::{KindsClient, KindsServer, Probe, fed};
use crate::world::settle;

/// Two workers, and a client that takes them in turn.
struct Pair {
    client: KindsClient<ResilientClient>,
    director: TestNode,
    workers: Vec<(TestNode, Probe)>,
    _cluster: TestCluster,
}

impl Pair {
    async fn new() -> Self {
        let cluster = TestCluster::new(7);
        let director = cluster.node("director").balancing(LoadBalancing::RoundRobin).start().await;
        let mut workers = Vec::new();
        for label in ["a", "b"] {
            let probe = Probe::default();
            let service = KindsServer::new(probe.clone());
            let worker = cluster.node(label).tag("role", "worker").serve(|server| server.service(service));
            workers.push((worker.start().await, probe));
        }
        cluster.converged().await;
        let client = ResilientClient::new(director.registry()).select("role=worker");
        Self { client: KindsClient::new(client), director, workers, _cluster: cluster }
    }

    fn in_flight(&self) -> u32 {
        self.director.registry().workers().iter().map(|worker| worker.active_connections()).sum()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_stream_finds_the_worker_that_is_left() {
    let pair = Pair::new().await;
    pair.workers[0].0.kill();
    for _ in 0..4 {
        assert_eq!(pair.client.sum(1, Streaming::iter(1..=1000)).await.unwrap(), 500_501);
        let mut counted = pair.client.count(3).await.unwrap();
        assert_eq!(counted.next().await.unwrap().unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_begun_is_cut_when_its_worker_dies() {
    let pair = Pair::new().await;
    let (sender, lines) = fed();
    let mut answers = pair.client.chat(lines).await.unwrap();
    sender.send("one".into()).await.unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), "ONE");
    assert_eq!(pair.in_flight(), 1, "it counts as long as it streams");
    pair.workers.iter().for_each(|(worker, _)| worker.kill());
    let cut = answers.next().await.unwrap().expect_err("half of it is not the whole");
    assert_eq!(cut.reason(), Reason::ConnectionLost, "{cut}");
    assert!(answers.next().await.is_none());
    assert_eq!(pair.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_upload_of_which_a_part_is_gone_is_not_sent_again() {
    let pair = Pair::new().await;
    let (sender, numbers) = fed();
    let call = tokio::spawn({
        let client = pair.client.clone();
        async move { client.hold(numbers).await }
    });
    sender.send(1).await.unwrap();
    settle().await;
    let holds = pair.workers.iter().filter(|(_, probe)| probe.holds()).count();
    assert_eq!(holds, 1);
    pair.workers.iter().find(|(_, probe)| probe.holds()).expect("one has it").0.kill();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(error.executed(), Executed::Unknown);
    assert_eq!(pair.workers.iter().filter(|(_, probe)| probe.holds()).count(), 1, "nobody else was asked");
    tokio::time::timeout(Duration::from_secs(1), sender.closed()).await.expect("its writer learns of it");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_to_its_end_counts_until_it_is_dropped() {
    let pair = Pair::new().await;
    let mut hours = pair.client.hours().await.unwrap();
    assert_eq!(hours.next().await.unwrap().unwrap(), 1);
    assert_eq!(pair.in_flight(), 1);
    drop(hours);
    assert_eq!(pair.in_flight(), 0);
}
