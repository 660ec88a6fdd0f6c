//! Keyed calls over a cluster: each meets the worker that remembers it, or is told that nobody can know.

use std::sync::atomic::Ordering;

use rpcnet::{CallError, Reason, prelude::*};

use super::{
    typed::{LedgerClient, ledgers, start},
    world::{World, ms, settled},
};
use crate::{
    balance::rendezvous,
    membership::ClusterEvent::{NodeFailed, NodeJoined, NodeRecovered, NodeSuspected},
    registry::testing::node,
};

#[tokio::test(start_paused = true)]
async fn keyed_calls_whose_connection_broke_are_sent_again_to_the_worker_that_runs_them() {
    let (world, client, booked) = ledgers().await;
    let ids: Vec<_> = (0..).map(Uuid::from_u128).filter(|id| points_to(&world, *id) == 1).take(4).collect();
    let book = |id: &Uuid| {
        let (client, id) = (client.clone(), *id);
        tokio::spawn(async move { client.book(id, 100).await })
    };
    let calls: Vec<_> = ids.iter().map(book).collect();
    settled().await;
    assert_eq!(booked.load(Ordering::Relaxed), 4);
    world.worker(1).line().channel().disconnect();
    for call in calls {
        assert_eq!(call.await.expect("no panic").expect("asked again"), 1);
    }
    assert_eq!(booked.load(Ordering::Relaxed), 4, "each ran once");
}

#[tokio::test(start_paused = true)]
async fn past_the_retry_budget_a_keyed_call_says_that_it_may_have_run_and_its_repeat_finds_the_answer() {
    let (world, client, booked) = ledgers().await;
    let calls: Vec<_> = (0..100)
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move { (id, client.book(Uuid::from_u128(id), 100).await) })
        })
        .collect();
    settled().await;
    world.registry.workers().iter().for_each(|worker| worker.line().channel().disconnect());
    let mut unknown = Vec::new();
    for call in calls {
        match call.await.expect("no panic") {
            (_, Ok(_)) => {}
            (id, Err(error)) => {
                assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
                assert!(error.to_string().contains("retry_budget_exhausted"), "{error}");
                unknown.push(Uuid::from_u128(id));
            }
        }
    }
    assert!(!unknown.is_empty(), "a fifth of the calls and three a second are sent again");
    for id in unknown {
        client.book(id, 100).await.expect("remembered");
    }
    assert_eq!(booked.load(Ordering::Relaxed), 100, "each ran once");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_goes_to_the_worker_that_took_the_first_though_its_id_points_to_a_newcomer() {
    let (world, client, booked) = ledgers().await;
    let ids: Vec<_> = (0..40).map(Uuid::from_u128).collect();
    let mut first = Vec::new();
    for id in &ids {
        first.push(client.book(*id, 100).await.expect("booked"));
    }
    start(&world, 4, &booked).await;
    world.cluster.tell(NodeJoined(node(4, 1)));
    settled().await;
    assert!(ids.iter().any(|id| points_to(&world, *id) == 4), "some of them");
    for (id, first) in ids.iter().zip(first) {
        assert_eq!(client.book(*id, 100).await.expect("remembered"), first);
    }
    assert_eq!(booked.load(Ordering::Relaxed), 40);
}

/// The registry has not heard of it: to the client it is the same process.
#[tokio::test(start_paused = true)]
async fn a_keyed_call_sent_again_to_a_process_that_was_started_under_it_is_not_run_by_that() {
    let (world, client, booked) = ledgers().await;
    let id = Uuid::from_u128(5);
    let number = points_to(&world, id);
    let call = tokio::spawn(async move { client.book(id, 100).await });
    settled().await;
    world.kill(number);
    start(&world, number, &booked).await;
    let error = call.await.expect("no panic").expect_err("whether it was booked is not known");
    assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
    assert_eq!(error.reason(), Some(Reason::DedupHorizonLost), "it was asked, and knew that it cannot know");
    assert_eq!(booked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_repeated_under_suspicion_meets_the_worker_that_remembers_it() {
    let (world, client, booked) = ledgers().await;
    for id in (0..10).map(Uuid::from_u128) {
        let first = client.book(id, 100).await.expect("booked");
        world.cluster.tell(NodeSuspected { node: node(first, 1), phi: 9.0 });
        settled().await;
        assert_eq!(client.book(id, 100).await.expect("remembered"), first);
        world.cluster.tell(NodeRecovered(node(first, 1)));
    }
    assert_eq!(booked.load(Ordering::Relaxed), 10);
}

#[tokio::test(start_paused = true)]
async fn row_16_a_repeated_request_id_meets_the_worker_that_remembers_it() {
    let (_world, client, booked) = ledgers().await;
    for id in (0..20).map(Uuid::from_u128) {
        let first = client.book(id, 100).await.expect("booked");
        assert_eq!(client.book(id, 100).await.expect("remembered"), first);
        let error = client.book(id, 200).await.expect_err("another amount under the same id");
        assert_eq!(error.reason(), Some(Reason::RequestIdReused));
    }
    assert_eq!(booked.load(Ordering::Relaxed), 20);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_whose_worker_is_restarted_under_it_is_reported_and_not_run_again() {
    let (world, _, booked) = ledgers().await;
    let cluster = world.client();
    let client = LedgerClient::new(cluster.clone().select("role=worker"));
    let id = Uuid::from_u128(5);
    let number = points_to(&world, id);
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.book(id, 100).await }
    });
    settled().await;
    world.kill(number);
    start(&world, number, &booked).await;
    world.cluster.tell(NodeJoined(node(number, 2)));
    let error = call.await.expect("no panic").expect_err("whether it was booked is not known");
    assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
    tokio::time::sleep(ms(1_000)).await;
    assert_eq!(
        booked.load(Ordering::Relaxed),
        1,
        "nobody else was asked to book it, nor the process in its place"
    );
    let repeat = client.book(id, 100).await.expect_err("whoever is asked now cannot know");
    assert_eq!(repeat.reason(), Some(Reason::DedupHorizonLost));
    let narrower = LedgerClient::new(cluster.clone().select("role=worker"));
    let repeat = narrower.book(id, 100).await.expect_err("it was made of the client that sent the first");
    assert_eq!(repeat.reason(), Some(Reason::DedupHorizonLost));
    world.kill(number);
    world.cluster.tell(NodeFailed(node(number, 2)));
    settled().await;
    let repeat =
        client.book(id, 100).await.expect_err("nor can another worker, however long it has been there");
    assert!(matches!(&repeat, CallError::OutcomeUnknown(_)), "{repeat}");
    assert_eq!(booked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_that_its_worker_did_not_take_runs_at_another_which_does_not_take_it_for_a_repeat() {
    let (world, client, booked) = ledgers().await;
    let id = Uuid::from_u128(5);
    let number = points_to(&world, id);
    world.kill(number);
    let other = client.book(id, 100).await.expect("nobody had it");
    assert_ne!(other, number);
    assert_eq!(booked.load(Ordering::Relaxed), 1);
}

/// The worker a request id points to.
fn points_to(world: &World, id: Uuid) -> u8 {
    let workers = world.registry.workers();
    let now = std::time::Instant::now();
    let candidates: Vec<_> = workers.iter().map(|worker| worker.candidate(now)).collect();
    let chosen = &workers[rendezvous(id, &candidates)];
    chosen.label.trim_start_matches("worker-").parse().expect("labels end with a number")
}
