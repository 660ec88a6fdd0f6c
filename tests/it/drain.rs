//! A worker that takes its leave.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{CallOptions, Reason};
use rpcnet_cluster::{
    CallReport, ClusterMembership, LoadBalancing, ResilientClient,
    membership::DRAINING_TAG,
    testkit::{TestCluster, TestNode, TestNodeBuilder},
};
use tokio::{task::JoinSet, time::Instant};

/// A worker whose method `work` takes as many milliseconds as its argument has bytes.
fn worker(cluster: &TestCluster, label: &str) -> TestNodeBuilder {
    cluster.node(label).tag("role", "worker").serve(|server| {
        server.register("work", |bytes: Bytes| async move {
            tokio::time::sleep(Duration::from_millis(bytes.len() as u64)).await;
            Ok(bytes)
        })
    })
}

async fn cluster(labels: &[&str]) -> (TestCluster, TestNode, Vec<TestNode>) {
    let cluster = TestCluster::new(7);
    let director = cluster.node("director").balancing(LoadBalancing::RoundRobin).start().await;
    let mut workers = Vec::new();
    for label in labels {
        workers.push(worker(&cluster, label).start().await);
    }
    cluster.converged().await;
    (cluster, director, workers)
}

/// Calls `work` 200 times a second, 20 ms each, until it is dropped; what became of each goes into the list.
fn load(director: &TestNode, reports: &Arc<Mutex<Vec<CallReport>>>) -> tokio::task::AbortHandle {
    let (client, reports) = (ResilientClient::new(director.registry()), Arc::clone(reports));
    let calls = async move {
        let mut calls = JoinSet::new();
        loop {
            let (client, reports) = (client.clone(), Arc::clone(&reports));
            calls.spawn(async move {
                let (_, report) = client.call_with_report("work", vec![0; 20]).await;
                reports.lock().push(report);
            });
            while calls.try_join_next().is_some() {}
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::spawn(calls).abort_handle()
}

/// At most once: a resend would hide nothing that was cut. And one attempt each: nobody is even refused.
#[tokio::test(start_paused = true)]
async fn a_rolling_restart_of_all_workers_fails_no_call_and_refuses_none() {
    let (cluster, director, workers) = cluster(&["a", "b", "c"]).await;
    let reports = Arc::default();
    let load = load(&director, &reports);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begin = Instant::now();
    for node in &workers {
        assert_eq!(node.drain(Duration::from_secs(10)).await.cut_off, 0);
        worker(&cluster, node.label()).start().await;
        cluster.converged().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let took = begin.elapsed();
    load.abort();
    let reports = reports.lock();
    assert!(reports.len() > 1_000, "{} calls in {took:?}", reports.len());
    for report in &*reports {
        assert!(report.failure.is_none() && report.attempts.len() == 1, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_draining_worker_gets_no_new_calls_finishes_those_it_has_and_is_missed_by_nobody() {
    let (_cluster, director, workers) = cluster(&["a", "b"]).await;
    let client = ResilientClient::new(director.registry());
    let long: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("work", vec![0; 5_000]).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let leaving = workers[0].clone();
    let draining = tokio::spawn(async move { leaving.drain(Duration::from_secs(30)).await });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let registry = director.registry();
    let seen =
        registry.workers().into_iter().find(|worker| &*worker.label == "a").expect("it is a member still");
    assert!(seen.is_draining() && !seen.is_healthy() && !seen.is_degraded());
    assert!(seen.active_connections() > 0, "its calls are under way");
    for _ in 0..20 {
        assert_eq!(&*registry.select_worker(None).unwrap().label, "b");
        let (answer, report) = client.call_with_report("work", vec![0]).await;
        answer.unwrap();
        assert_eq!(&*report.attempts[0].label, "b");
    }
    for call in long {
        call.await.unwrap().unwrap();
    }
    assert_eq!(draining.await.unwrap().cut_off, 0);
    director.sees(&["b", "director"]).await;
    assert!(director.told().iter().all(|told| !format!("{:?}", told.event).starts_with("NodeFailed")));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_in_time_is_cut_off_and_the_node_leaves_all_the_same() {
    let (_cluster, director, workers) = cluster(&["a"]).await;
    let client = ResilientClient::new(director.registry());
    let call = tokio::spawn(async move {
        let options = CallOptions::timeout(Duration::from_secs(100));
        client.with(options).call("work", vec![0; 60_000]).await
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let (begin, grace) = (Instant::now(), Duration::from_secs(3));
    assert_eq!(workers[0].drain(grace).await.cut_off, 1);
    let most = ClusterMembership::DRAIN_NOTICE + grace + Duration::from_secs(3);
    assert!(begin.elapsed() <= most, "{:?}", begin.elapsed());
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ConnectionLost), "{error}");
    director.sees(&["director"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_while_all_workers_drain_and_is_told_so_when_none_comes() {
    let (cluster, director, workers) = cluster(&["a"]).await;
    let client = ResilientClient::new(director.registry());
    workers[0].membership().set_tag(DRAINING_TAG, "yes").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = client.call("work", vec![0]).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::NoWorkers), "{error}");
    assert!(error.to_string().contains("workers: 1 (1 draining)"), "{error}");
    let waiting = tokio::spawn(async move { client.call("work", vec![0]).await });
    worker(&cluster, "b").start().await;
    waiting.await.unwrap().unwrap();
    // And an operator may change his mind.
    assert!(workers[0].membership().remove_tag(DRAINING_TAG).await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(director.registry().workers().iter().all(rpcnet_cluster::Worker::is_healthy));
}
