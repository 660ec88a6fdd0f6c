//! What an operator sees of a cluster's workers.

use std::time::Duration;

use bytes::Bytes;
use rpcnet::CallOptions;
use rpcnet_cluster::{
    Health, ResilientClient, health_dashboard,
    membership::DRAINING_TAG,
    testkit::{TestCluster, TestNodeBuilder},
};

/// A worker for eight calls at once, whose method `work` takes a second.
fn worker(cluster: &TestCluster, label: &str) -> TestNodeBuilder {
    cluster.node(label).tag("role", "worker").capacity(8).serve(|server| {
        server.register("work", |bytes: Bytes| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(bytes)
        })
    })
}

#[tokio::test(start_paused = true)]
async fn row_14_the_dashboard_counts_who_is_well_who_is_not_and_who_is_gone() {
    let cluster = TestCluster::new(14);
    let director = cluster.node("director").start().await;
    let (a, b) = (worker(&cluster, "a").start().await, worker(&cluster, "b").start().await);
    worker(&cluster, "c").start().await;
    worker(&cluster, "d\u{1b}[2J").start().await;
    cluster.converged().await;
    let dashboard = || health_dashboard(&director.registry());
    let counts = || {
        [Health::Healthy, Health::Degraded, Health::Draining, Health::Failed].map(|h| dashboard().count(h))
    };
    assert_eq!((dashboard().total(), counts()), (4, [4, 0, 0, 0]));

    b.membership().set_tag(DRAINING_TAG, "yes").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counts(), [3, 0, 1, 0]);

    a.kill();
    let once = CallOptions::timeout(Duration::from_secs(5)).idempotent(true);
    let client = ResilientClient::new(director.registry()).with(once);
    for _ in 0..6 {
        client.call("work", vec![0]).await.unwrap();
    }
    director.sees(&["b", "c", "d\u{1b}[2J", "director"]).await;
    assert_eq!(counts(), [2, 0, 1, 1]);
    let percents = [Health::Healthy, Health::Failed].map(|health| dashboard().percent(health));
    assert_eq!(percents, [50.0, 25.0]);

    let text = dashboard().to_string();
    assert!(text.starts_with("workers         4\n  healthy       2   50.0 %\n"), "{text}");
    assert!(text.lines().last().unwrap().contains("failed"), "those that failed come last: {text}");
    assert!(!text.contains('\u{1b}'), "a label moves no cursor: {text}");

    worker(&cluster, "a").start().await;
    cluster.converged().await;
    assert_eq!(counts(), [3, 0, 1, 0], "the one that came back has not failed");
}

#[tokio::test(start_paused = true)]
async fn row_14_a_worker_that_is_not_replaced_is_not_told_of_for_ever() {
    let cluster = TestCluster::new(15);
    let director = cluster.node("director").start().await;
    let a = worker(&cluster, "a").start().await;
    cluster.converged().await;
    a.kill();
    director.sees(&["director"]).await;
    assert_eq!(health_dashboard(&director.registry()).count(Health::Failed), 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(health_dashboard(&director.registry()).total(), 0);
}

#[tokio::test(start_paused = true)]
async fn row_14_the_dashboard_of_no_workers_divides_nothing_by_zero() {
    let cluster = TestCluster::new(16);
    let director = cluster.node("director").start().await;
    let dashboard = health_dashboard(&director.registry());
    assert_eq!((dashboard.total(), dashboard.percent(Health::Failed)), (0, 0.0));
    let text = dashboard.to_string();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains("failed        0    0.0 %") && !text.contains("NaN"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn row_14_load_is_that_of_this_process_and_unknown_without_a_capacity() {
    let cluster = TestCluster::new(17);
    let director = cluster.node("director").start().await;
    worker(&cluster, "a").start().await;
    worker(&cluster, "b").capacity(0).start().await;
    cluster.converged().await;
    let client = ResilientClient::new(director.registry());
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("work", vec![0]).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let dashboard = health_dashboard(&director.registry());
    let lines = dashboard.workers();
    assert_eq!(lines.iter().map(|worker| worker.active_connections).sum::<u32>(), 4);
    for worker in lines {
        let expected = (&*worker.label == "a").then(|| f64::from(worker.active_connections) / 8.0);
        assert_eq!(worker.load(), expected);
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}
