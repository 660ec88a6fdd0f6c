//! Row 3: a worker answers fifty times as slowly.

use std::time::Duration;

use rpcnet::{Reason, prelude::*};
use rpcnet_cluster::{AttemptEnd, CallReport, ClusterEvent, LoadBalancing, ResilientClient};

use super::{Mood, Plant, ms};

/// A call every five milliseconds; what became of each.
async fn calls(client: &ResilientClient, count: usize) -> Vec<(bool, CallReport)> {
    let mut calls = Vec::new();
    for _ in 0..count {
        let client = client.clone();
        calls.push(tokio::spawn(async move { client.call_with_report("compute", "x").await }));
        tokio::time::sleep(ms(5)).await;
    }
    let mut ended = Vec::new();
    for call in calls {
        let (answer, report) = call.await.unwrap();
        ended.push((answer.is_ok_and(|answer| answer == "x"), report));
    }
    ended
}

/// The part of the attempts that went to a worker.
fn share(ended: &[(bool, CallReport)], label: &str) -> f64 {
    let attempts: Vec<_> = ended.iter().flat_map(|(_, report)| &report.attempts).collect();
    attempts.iter().filter(|attempt| &*attempt.label == label).count() as f64 / attempts.len() as f64
}

fn answered_within(ended: &[(bool, CallReport)], limit: Duration) -> bool {
    ended.iter().all(|(answered, report)| *answered && report.took < limit)
}

/// Nobody has been convicted, and the worker is a member of everybody's view.
async fn nobody_was_convicted(plant: &Plant) {
    for node in plant.workers.iter().chain([&plant.director]) {
        let verdict = |event: &ClusterEvent| {
            matches!(event, ClusterEvent::NodeFailed(_) | ClusterEvent::PartitionDetected { .. })
        };
        let verdicts: Vec<_> = node.told().into_iter().filter(|told| verdict(&told.event)).collect();
        assert!(verdicts.is_empty(), "{}: {verdicts:?}", node.label());
    }
    plant.cluster.converged().await;
    assert_eq!(plant.director.registry().worker_count(), plant.workers.len());
}

/// The worker itself is slow, with 500 ms in place of 10.
#[tokio::test(start_paused = true)]
async fn row_3_a_slow_worker_is_left_alone_its_calls_are_answered_elsewhere_and_nobody_convicts_it() {
    let plant = Plant::of(4, LoadBalancing::PeakEwma).await;
    let client = plant.client().with(CallOptions::timeout(ms(200)).idempotent(true));
    let before = calls(&client, 1_000).await;
    assert!(answered_within(&before, ms(20)) && (share(&before, "b") - 0.25).abs() < 0.05);

    plant.desks[1].becomes(Mood::Takes(ms(500)));
    let during = calls(&client, 2_000).await;
    assert!(answered_within(&during, ms(120)), "the attempt's half of 200 ms, and an answer of 10");
    let retried: Vec<_> = during.iter().filter(|(_, report)| report.attempts.len() > 1).collect();
    assert!(!retried.is_empty(), "somebody met it");
    for (_, report) in &retried {
        let ends = report.attempts.iter().map(|attempt| (&*attempt.label, &attempt.end));
        let ends: Vec<_> = ends.collect();
        assert!(matches!(ends[0], ("b", AttemptEnd::Failed(status)) if status.reason() == Reason::Deadline));
        assert!(matches!(ends[1], (other, AttemptEnd::Answered) if other != "b"), "{report}");
    }
    assert!(share(&during, "b") < 0.01, "{}", share(&during, "b"));
    let registry = plant.director.registry();
    let slow = registry.workers().into_iter().find(|worker| &*worker.label == "b").unwrap();
    assert!(slow.latency() > Some(ms(1_000)), "{:?}", slow.latency());
    nobody_was_convicted(&plant).await;

    plant.desks[1].becomes(Mood::Takes(ms(10)));
    calls(&client, 2_000).await;
    let after = calls(&client, 2_000).await;
    assert!(answered_within(&after, ms(20)), "it is well again");
    assert!((share(&after, "b") - 0.25).abs() < 0.05, "and has its share: {}", share(&after, "b"));
    assert_eq!(plant.in_flight(), 0);
}

/// The way to the worker is slow: its heartbeats are late, too.
#[tokio::test(start_paused = true)]
async fn row_3_a_worker_whose_packets_are_late_is_left_alone_and_keeps_its_place_in_the_cluster() {
    let plant = Plant::of(4, LoadBalancing::PeakEwma).await;
    let client = plant.client().with(CallOptions::timeout(ms(200)).idempotent(true));
    calls(&client, 1_000).await;
    plant.workers[1].slow_down(ms(245));
    let during = calls(&client, 3_000).await;
    assert!(answered_within(&during, ms(120)));
    assert!(share(&during, "b") < 0.01, "{}", share(&during, "b"));
    assert!(plant.director.told().iter().all(|told| !matches!(told.event, ClusterEvent::NodeLeft(_))));
    nobody_was_convicted(&plant).await;
}

/// What must not run twice is not retried: its caller is told that nobody knows.
#[tokio::test(start_paused = true)]
async fn row_3_a_timeout_on_a_call_that_must_not_run_twice_is_told_as_what_it_is() {
    let plant = Plant::of(4, LoadBalancing::PeakEwma).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(500))));
    let client = plant.client().with(CallOptions::timeout(ms(200)));
    let (answer, report) = client.call_with_report("compute", "x").await;
    let error = answer.unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::Deadline));
    assert!(report.attempts.len() == 1 && plant.begun() == 1 && report.took <= ms(202), "{report}");
    tokio::time::sleep(ms(10)).await;
    let running: usize = plant.desks.iter().map(super::Desk::running).sum();
    assert_eq!((running, plant.in_flight()), (0, 0), "the worker was told to stop");
}
