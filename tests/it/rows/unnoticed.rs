//! Row 11: any of these, unnoticed by the caller.

use std::time::Duration;

use rpcnet::{Executed, Reason, prelude::*};
use rpcnet_cluster::{ClusterEvent, LoadBalancing, ResilientClient};
use tokio::{task::JoinSet, time::Instant};

use super::{ComputeClient, Desk, Mood, Plant, ms, worker};

/// All that the table of failures has, one after the other, under calls by bytes and by the generated client. Only the
/// answers are looked at.
#[tokio::test(start_paused = true)]
async fn row_11_callers_get_the_right_answers_whatever_becomes_of_the_workers() {
    let plant = Plant::of(3, LoadBalancing::PeakEwma).await;
    let client = plant.client().with(CallOptions::new().idempotent(true));
    let compute = ComputeClient::new(plant.client());
    let calls = tokio::spawn(async move {
        let mut calls = JoinSet::new();
        for n in 0..2_000_i64 {
            let (client, compute) = (client.clone(), compute.clone());
            calls.spawn(async move {
                assert_eq!(compute.square(n).await.unwrap(), n * n);
                let bytes = n.to_le_bytes().to_vec();
                assert_eq!(client.call("compute", bytes.clone()).await.unwrap(), bytes);
            });
            tokio::time::sleep(ms(20)).await;
        }
        while let Some(call) = calls.join_next().await {
            call.unwrap();
        }
    });
    let and_then = async || tokio::time::sleep(ms(3_000)).await;
    and_then().await;
    plant.workers[0].kill();
    and_then().await;
    worker(&plant.cluster, "a", &plant.desks[0]).start().await;
    plant.desks[1].becomes(Mood::Takes(ms(500)));
    and_then().await;
    plant.desks[1].becomes(Mood::Panics(ms(1)));
    and_then().await;
    plant.desks[1].becomes(Mood::Takes(ms(10)));
    plant.cluster.cut(&plant.director, &plant.workers[2]);
    and_then().await;
    plant.cluster.heal();
    and_then().await;
    plant.workers[1].drain(ms(1_000)).await;
    calls.await.unwrap();
    assert_eq!(plant.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn row_11_all_calls_to_a_worker_share_one_connection() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    let mut calls = JoinSet::new();
    for n in 0..300_i64 {
        // Clients of their own, by bytes and typed: the connections are the registry's.
        let client = ResilientClient::new(plant.director.registry()).select("role=worker");
        calls.spawn(async move {
            if n % 2 == 0 {
                client.call("compute", "x").await.unwrap();
            } else {
                ComputeClient::new(client).square(n).await.unwrap();
            }
        });
    }
    calls.join_all().await;
    assert_eq!(plant.begun(), 300);
    assert!(plant.desks.iter().all(|desk| desk.running_most() > 50 && desk.connections() == 1));
}

#[tokio::test(start_paused = true)]
async fn row_11_a_call_waits_for_the_first_worker_and_says_so_when_none_comes() {
    let plant = Plant::of(0, LoadBalancing::RoundRobin).await;
    let client = plant.client().wait_for_ready(ms(5_000));
    let waiting = tokio::spawn({
        let compute = ComputeClient::new(client.clone());
        async move { compute.square(3).await }
    });
    tokio::time::sleep(ms(500)).await;
    let desk = Desk::new(Mood::Takes(ms(10)));
    let only = worker(&plant.cluster, "late", &desk).start().await;
    assert_eq!(waiting.await.unwrap().unwrap(), 9);
    only.shutdown().await;
    plant.cluster.converged().await;
    let (answer, report) = client.call_with_report("compute", "x").await;
    let error = answer.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::NoWorkers), Executed::No));
    assert!(error.to_string().contains("no worker matches `role=worker`, after waiting for 5s"), "{error}");
    assert!(report.attempts.is_empty() && report.waited >= ms(5_000) && report.took < ms(5_010), "{report}");
}

/// How long a host that has fallen silent is a member, if somebody says that it does not answer, or nobody does.
async fn convicted_after(tell: impl Fn(&Plant)) -> Duration {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    let silent = plant.workers[1].membership().local_node_id();
    let mut events = plant.director.registry().subscribe();
    plant.workers[1].pause();
    let begun = Instant::now();
    tell(&plant);
    loop {
        match events.recv().await.unwrap() {
            ClusterEvent::NodeFailed(node) => {
                assert_eq!(node.id, silent, "and nobody else");
                return begun.elapsed();
            }
            _ => continue,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_11_a_report_of_failure_is_looked_into_and_convicts_nobody_who_answers() {
    let told = convicted_after(|plant| {
        let registry = plant.director.registry();
        let silent = registry.workers().into_iter().find(|worker| &*worker.label == "b").unwrap();
        registry.report_failure(&silent);
    })
    .await;
    let untold = convicted_after(|_| ()).await;
    assert!(told < untold && told > ms(4_000), "sooner, and not without a hearing: {told:?}, {untold:?}");

    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    let registry = plant.director.registry();
    for _ in 0..100 {
        registry.workers().iter().for_each(|worker| registry.report_failure(worker));
        tokio::time::sleep(ms(100)).await;
    }
    let verdict = |event: &ClusterEvent| matches!(event, ClusterEvent::NodeFailed(_));
    assert!(plant.director.told().iter().all(|told| !verdict(&told.event)));
    assert_eq!(registry.worker_count(), 3);
}
