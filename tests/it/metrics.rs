//! What operators count: each metric moves when it should, and the book has them all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use rpcnet::{AppError, CallOptions};
use rpcnet_cluster::{
    QuorumRule, Resilience, ResilientClient,
    metrics::METRICS,
    testkit::{TestCluster, TestNodeBuilder},
};

/// Runs a story in virtual time; all that was counted in it.
fn counted(story: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(story));
    let value = |value| match value {
        DebugValue::Counter(value) => value,
        DebugValue::Gauge(value) => value.0 as u64,
        DebugValue::Histogram(_) => unreachable!("there is none"),
    };
    let metrics = snapshotter.snapshot().into_vec();
    metrics.into_iter().map(|(key, _, _, now)| (written(key.key()), value(now))).collect()
}

/// A name, with its labels if it has any: `circuit.changes{worker=a,to=open}`.
fn written(key: &metrics::Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) }
}

/// A worker whose method `echo` answers after as many milliseconds as its argument has bytes.
fn worker(cluster: &TestCluster, label: &str) -> TestNodeBuilder {
    cluster.node(label).tag("role", "worker").capacity(1).serve(|server| {
        server.register("echo", |bytes: Bytes| async move {
            tokio::time::sleep(Duration::from_millis(bytes.len() as u64)).await;
            Ok::<_, AppError>(bytes)
        })
    })
}

fn idempotent() -> CallOptions {
    CallOptions::timeout(Duration::from_secs(5)).idempotent(true)
}

#[test]
fn row_13_a_crash_is_counted_by_the_cluster_and_by_the_calls_that_met_it() {
    let counts = counted(async {
        let cluster = TestCluster::new(1);
        let director = cluster.node("director").start().await;
        let workers = [worker(&cluster, "a").start().await, worker(&cluster, "b").start().await];
        cluster.converged().await;
        let client = ResilientClient::new(director.registry()).with(idempotent());
        for _ in 0..4 {
            client.call("echo", vec![0]).await.unwrap();
        }
        workers[0].kill();
        for _ in 0..8 {
            client.call("echo", vec![0]).await.unwrap();
        }
        director.sees(&["b", "director"]).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    });
    assert_eq!(counts["cluster.node_failures"], 2, "by the two nodes that are left");
    assert_eq!(counts["cluster.healthy_nodes"], 2);
    assert!(counts["failures.node_crash"] >= 1, "{counts:?}");
    assert!(counts["calls.retries"] >= 1 && counts["circuit.opened"] >= 1, "{counts:?}");
    assert!(!counts.contains_key("failures.timeout"), "{counts:?}");
}

#[test]
fn row_13_what_takes_too_long_is_counted_and_so_are_the_second_attempts() {
    let counts = counted(async {
        let cluster = TestCluster::new(2);
        let director = cluster.node("director").start().await;
        worker(&cluster, "a").start().await;
        worker(&cluster, "b").start().await;
        cluster.converged().await;
        let client = ResilientClient::new(director.registry());
        let short = CallOptions::timeout(Duration::from_millis(20)).idempotent(true).max_attempts(1);
        client.with(short).call("echo", vec![0; 50]).await.unwrap_err();
        let hedged = idempotent().hedge_after(Duration::from_millis(5));
        client.with(hedged).call("echo", vec![0; 50]).await.unwrap();
    });
    assert_eq!((counts["failures.timeout"], counts["calls.hedges"]), (1, 1), "{counts:?}");
    assert!(!counts.contains_key("calls.hedges_won"), "the first was sooner: {counts:?}");
    assert!(!counts.contains_key("calls.retries"), "a hedge is no retry: {counts:?}");
}

#[test]
fn row_13_what_is_not_sent_is_counted() {
    let counts = counted(async {
        let cluster = TestCluster::new(3);
        let director = cluster.node("director").start().await;
        worker(&cluster, "a").start().await;
        cluster.converged().await;
        let client = ResilientClient::new(director.registry());
        let busy = client.clone();
        let first = tokio::spawn(async move { busy.call("echo", vec![0; 500]).await });
        tokio::time::sleep(Duration::from_millis(10)).await;
        client.with(idempotent().max_load(0.5)).call("echo", vec![0]).await.unwrap_err();
        first.await.unwrap().unwrap();
        let stingy = client.resilience(Resilience::default().retry_share(0.0).retry_reserve(0));
        let short = CallOptions::timeout(Duration::from_millis(60)).idempotent(true);
        stingy.with(short).call("echo", vec![0; 50]).await.unwrap_err();
    });
    assert_eq!((counts["calls.shed"], counts["calls.budget_exhausted"]), (1, 1), "{counts:?}");
}

#[test]
fn row_13_what_is_held_back_is_counted_call_by_call() {
    let told = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&told);
    let counts = counted(async move {
        let cluster = TestCluster::new(5);
        let director = cluster.node("director").start().await;
        // One call fills it: all others are refused.
        let full = worker(&cluster, "a").serve(|server| server.running_max(1).queued_max(0));
        full.start().await;
        cluster.converged().await;
        let client = ResilientClient::new(director.registry());
        let busy = client.with(CallOptions::timeout(Duration::from_secs(100)));
        let first = tokio::spawn(async move { busy.call("echo", vec![0; 20_000]).await });
        tokio::time::sleep(Duration::from_millis(10)).await;
        for _ in 0..200 {
            let once = CallOptions::timeout(Duration::from_secs(1)).max_attempts(1);
            let error = client.with(once).call("echo", vec![0]).await.unwrap_err();
            seen.fetch_add(u64::from(error.to_string().contains("held back")), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        first.await.unwrap().unwrap();
    });
    let told = told.load(Ordering::Relaxed);
    assert!((50..190).contains(&told), "{told} of 200");
    assert_eq!(counts["calls.held_back"], told);
    assert!(!counts.contains_key("calls.shed"), "{counts:?}");
}

#[test]
fn row_13_the_changes_of_a_circuit_are_counted_worker_by_worker() {
    let counts = counted(async {
        let cluster = TestCluster::new(6);
        let director = cluster.node("director").start().await;
        let is_broken = Arc::new(AtomicBool::new(true));
        let broken = Arc::clone(&is_broken);
        let sick = cluster.node("sick").serve(|server| {
            server.register("echo", move |bytes: Bytes| {
                let broken = broken.load(Ordering::Relaxed);
                async move {
                    if broken {
                        // Past the hook, which would print each of them.
                        std::panic::resume_unwind(Box::new("broken"));
                    }
                    Ok::<_, AppError>(bytes)
                }
            })
        });
        sick.start().await;
        worker(&cluster, "well").start().await;
        cluster.converged().await;
        let client = ResilientClient::new(director.registry()).with(idempotent());
        for _ in 0..20 {
            client.call("echo", vec![0]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        is_broken.store(false, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(3)).await;
        for _ in 0..20 {
            client.call("echo", vec![0]).await.unwrap();
        }
    });
    for to in ["open", "half_open", "closed"] {
        assert_eq!(counts[&format!("circuit.changes{{worker=sick,to={to}}}")], 1, "{to}: {counts:?}");
    }
    assert!(counts.keys().all(|key| !key.contains("worker=well")), "{counts:?}");
}

#[test]
fn row_13_a_split_is_counted_by_all_who_notice_it() {
    let counts = counted(async {
        let cluster = TestCluster::new(4);
        let mut nodes = Vec::new();
        for label in ["a", "b", "c", "d", "e"] {
            nodes.push(cluster.node(label).quorum(QuorumRule::Majority).start().await);
        }
        cluster.converged().await;
        let sides: Vec<_> = nodes.iter().collect();
        cluster.partition(&sides[..2], &sides[2..]);
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    assert_eq!(counts["cluster.partitions"], 5, "{counts:?}");
}

#[test]
fn the_book_has_every_metric_and_no_other() {
    let chapter = include_str!("../../book/src/reference/metrics.md");
    let rows = chapter.lines().filter(|line| line.starts_with("| `"));
    let said: Vec<_> =
        rows.map(|row| row.split('|').map(str::trim).skip(1).take(3).collect::<Vec<_>>()).collect();
    let there: Vec<_> = METRICS
        .iter()
        .map(|metric| {
            let kind = if metric.is_gauge { "gauge" } else { "counter" };
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let by = if labels.is_empty() { String::new() } else { format!(" by {}", labels.join(", ")) };
            vec![format!("`{}`", metric.name), format!("{kind}{by}"), metric.meaning.to_owned()]
        })
        .collect();
    assert_eq!(said, there);
}
