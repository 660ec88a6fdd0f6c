//! Row 16: a call is repeated.

use std::time::Duration;

use rpcnet::{CacheLimits, CallError, CallOptions, Executed, Reason, prelude::*};

use crate::world::{World, settle};

const ID: Uuid = Uuid::from_u128(7);

#[tokio::test(start_paused = true)]
async fn row_16_a_repeated_request_id_is_answered_from_the_cache() {
    let world = World::new().await;
    let bench = world.bench().await;
    for _ in 0..3 {
        assert_eq!(bench.charge(ID, "ann".into(), 500).await.unwrap(), 500);
    }
    assert_eq!(world.probe.began(), 1);
    assert_eq!(bench.charge(Uuid::from_u128(8), "ann".into(), 500).await.unwrap(), 1000);
}

#[tokio::test(start_paused = true)]
async fn row_16_a_repeat_during_the_first_waits_for_its_answer() {
    let world = World::new().await;
    let bench = world.bench().await;
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.charge(ID, "ann".into(), 500).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 500);
    }
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn row_16_other_arguments_under_the_same_id_are_refused() {
    let world = World::new().await;
    let bench = world.bench().await;
    bench.charge(ID, "ann".into(), 500).await.unwrap();
    let error = bench.charge(ID, "ann".into(), 501).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::RequestIdReused), Executed::No));
    assert!(error.to_string().contains(&ID.to_string()), "{error}");
    assert_eq!(world.probe.accounts.lock().unwrap()["ann"], 500);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_runs_on_when_its_caller_gives_up_and_the_repeat_finds_the_answer() {
    let world = World::new().await;
    let bench = world.bench().await;
    let hurried = bench.with(CallOptions::timeout(Duration::from_millis(50)));
    let error = hurried.charge(ID, "ann".into(), 500).await.unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(bench.charge(ID, "ann".into(), 500).await.unwrap(), 500);
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_runs_on_when_its_connection_breaks() {
    let world = World::new().await;
    let channel = world.channel().await;
    let bench = crate::world::BenchClient::new(channel.clone());
    let call = tokio::spawn(async move { bench.charge(ID, "ann".into(), 500).await });
    settle().await;
    channel.disconnect();
    assert!(matches!(call.await.unwrap(), Err(CallError::OutcomeUnknown(_))));
    assert_eq!(world.bench().await.charge(ID, "ann".into(), 500).await.unwrap(), 500);
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_cache_refuses_before_anything_runs() {
    let mut limits = CacheLimits::default();
    limits.entries_max = 1;
    let world = World::with(|server| server.cache_limits(limits)).await;
    let bench = world.bench().await;
    bench.charge(ID, "ann".into(), 500).await.unwrap();
    let error = bench.charge(Uuid::from_u128(8), "ann".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
    assert!(error.status().unwrap().retry_hint().is_some());
    assert_eq!(world.probe.began(), 1);
}

/// The caller relies on a repeat being recognised, and this server's method does not recognise one.
#[tokio::test(start_paused = true)]
async fn a_request_id_for_a_method_that_is_not_keyed_is_refused() {
    let world = World::new().await;
    let mut request = rpcnet::Request::untyped("Bench/wait", vec![], CallOptions::new());
    request.request_id = Some(ID);
    let status = rpcnet::Caller::invoke(&world.channel().await, request).await.unwrap_err();
    assert_eq!((status.reason(), status.executed()), (Reason::RequestIdReused, Executed::No));
    assert_eq!(world.probe.began(), 0);
}
