//! Row 7: a worker keeps failing.

use std::time::Duration;

use rpcnet::prelude::*;
use rpcnet_cluster::{CircuitBreaker, CircuitError, CircuitState, LoadBalancing, ResilientClient, Worker};
use tokio::time::Instant;

use super::{Mood, Plant, ms};

/// A call each ten milliseconds for so long, all of which have to be answered.
async fn calls_for(client: &ResilientClient, lasts: Duration) {
    let (begun, mut calls) = (Instant::now(), Vec::new());
    while begun.elapsed() < lasts {
        let client = client.clone();
        calls.push(tokio::spawn(async move { client.call("compute", "x").await }));
        tokio::time::sleep(ms(10)).await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "x");
    }
}

fn named(plant: &Plant, label: &str) -> Worker {
    plant.director.registry().workers().into_iter().find(|worker| &*worker.label == label).unwrap()
}

/// Who is well, of `a`, `b` and `c`.
fn well(plant: &Plant) -> [bool; 3] {
    ["a", "b", "c"].map(|label| named(plant, label).is_healthy())
}

#[tokio::test(start_paused = true)]
async fn row_7_each_worker_has_a_breaker_that_opens_lets_one_probe_through_and_closes() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    let client = plant.client().with(CallOptions::new().idempotent(true));
    let desk = &plant.desks[1];
    calls_for(&client, ms(300)).await;
    let before = desk.begun();
    desk.becomes(Mood::Panics(ms(1)));
    calls_for(&client, ms(60)).await;
    assert!(desk.begun() < before + 5 && well(&plant) == [true; 3], "closed: a few failures open nothing");
    calls_for(&client, ms(340)).await;
    assert_eq!((desk.begun(), well(&plant)), (before + 5, [true, false, true]), "open, and no other is");

    // The probe takes its time; meanwhile a hundred calls come.
    desk.becomes(Mood::Panics(ms(400)));
    calls_for(&client, ms(1_700)).await;
    assert_eq!(
        (desk.begun(), desk.running_most()),
        (before + 6, 1),
        "half open: one probe, whoever else calls"
    );
    let failed = desk.begun();
    calls_for(&client, ms(700)).await;
    assert_eq!(desk.begun(), failed, "open again, for twice as long");

    desk.becomes(Mood::Takes(ms(1)));
    calls_for(&client, ms(3_000)).await;
    assert_eq!(well(&plant), [true; 3], "closed by one probe that was answered");
    let recovered = desk.begun();
    calls_for(&client, ms(3_000)).await;
    assert!((95..=105).contains(&(desk.begun() - recovered)), "a third of 300 calls");
    assert_eq!(plant.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn row_7_a_late_success_of_an_old_call_closes_nothing() {
    // While it is open, and while the probe is under way.
    for takes in [ms(900), ms(2_500)] {
        let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
        let client = plant.client().with(CallOptions::new().idempotent(true));
        let desk = &plant.desks[1];
        desk.becomes(Mood::Takes(takes));
        let old = tokio::spawn({
            let client = client.clone();
            async move { calls_for(&client, ms(60)).await }
        });
        tokio::time::sleep(ms(600)).await;
        assert_eq!((desk.begun(), desk.done()), (2, 0), "two calls are under way there");
        desk.becomes(Mood::Panics(ms(1)));
        calls_for(&client, ms(200)).await;
        assert_eq!((desk.begun(), well(&plant)), (7, [true, false, true]), "five others have failed: open");
        // A probe that takes its time, if there is one before the old calls end.
        desk.becomes(Mood::Panics(ms(5_000)));
        let probe = tokio::spawn({
            let (client, done) = (client.clone(), old.abort_handle());
            async move {
                while !done.is_finished() {
                    calls_for(&client, ms(10)).await;
                }
            }
        });
        old.await.unwrap();
        assert_eq!(
            (desk.done(), well(&plant)),
            (2, [true, false, true]),
            "two were answered, which closes nothing"
        );
        let begun = desk.begun();
        calls_for(&client, ms(100)).await;
        assert_eq!(desk.begun(), begun, "and nobody is sent there");
        assert_eq!(desk.begun() - 7, usize::from(takes > ms(2_000)), "but for the one probe");
        probe.abort();
    }
}

/// By itself, around whatever a program awaits: here a call past the client that has breakers of its own.
#[tokio::test(start_paused = true)]
async fn row_7_a_breaker_of_ones_own_goes_around_any_future() {
    let plant = Plant::of(1, LoadBalancing::RoundRobin).await;
    let (desk, worker) = (&plant.desks[0], named(&plant, "a"));
    let breaker = CircuitBreaker::new().failures_in_a_row(3).open_for(ms(1_000), ms(8_000));
    let call = || breaker.call(worker.call("compute", "x"), |_| true);
    let fails = async || assert!(matches!(call().await, Err(CircuitError::Failed(_))));

    desk.becomes(Mood::Panics(ms(1)));
    fails().await;
    fails().await;
    desk.becomes(Mood::Takes(ms(1)));
    assert!(call().await.is_ok(), "two failures open nothing");
    desk.becomes(Mood::Panics(ms(1)));
    for _ in 0..3 {
        assert_eq!(breaker.state(), CircuitState::Closed);
        fails().await;
    }
    let mut periods = Vec::new();
    for _ in 0..4 {
        let begun = desk.begun();
        let Err(CircuitError::Open { retry_after }) = call().await else { panic!("it is open") };
        assert_eq!((breaker.state(), desk.begun()), (CircuitState::Open, begun), "nothing was sent");
        periods.push(retry_after);
        tokio::time::sleep(retry_after).await;
        // One probe, and of those who come beside it nobody.
        let (probe, beside) = tokio::join!(call(), call());
        assert!(
            matches!(probe, Err(CircuitError::Failed(_))) && matches!(beside, Err(CircuitError::Open { .. }))
        );
        assert_eq!(desk.begun(), begun + 1);
    }
    for (period, middle) in periods.iter().zip([1_000, 2_000, 4_000, 8_000]) {
        assert!(*period >= ms(middle / 2) && *period <= ms(middle * 3 / 2), "{periods:?}");
    }
    desk.becomes(Mood::Takes(ms(1)));
    let Err(CircuitError::Open { retry_after }) = call().await else { panic!("it is open") };
    tokio::time::sleep(retry_after).await;
    assert!(call().await.is_ok() && breaker.state() == CircuitState::Closed);
}
