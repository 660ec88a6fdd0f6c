//! Layers of a server.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use rpcnet::{CallKind, Idempotency, Reason, layer::ServerCall, prelude::*};
use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer, timeout::TimeoutLayer};

use super::{Before, counting, ms, said, waiting};
use crate::world::{World, settle};

#[tokio::test(start_paused = true)]
async fn a_call_that_a_timeout_cut_may_have_run_and_its_handler_is_dropped() {
    let world = World::with(|server| server.layer(TimeoutLayer::new(ms(50)))).await;
    let bench = world.bench().await;
    assert_eq!(bench.echo("in time".into()).await.unwrap(), "in time");
    assert_eq!(said(bench.slow_echo("late".into()).await), (Some(Reason::Deadline), Executed::Unknown));
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_shed_did_not_run() {
    let layers = || ServiceBuilder::new().load_shed().concurrency_limit(1);
    let world = World::with(|server| server.layer(layers())).await;
    let bench = world.bench().await;
    let first = waiting(&world, &bench).await;
    let error = bench.wait().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
    assert_eq!(error.code(), Some(rpcnet::Code::ResourceExhausted));
    assert_eq!(world.probe.began(), 1, "the second did not run");
    world.probe.gate.notify_one();
    first.await.unwrap().unwrap();
    assert_eq!(bench.echo("free again".into()).await.unwrap(), "free again");
}

/// Each `layer` wraps what is inside of it without hiding whether it is ready.
#[tokio::test(start_paused = true)]
async fn layers_given_one_by_one_see_whether_the_inner_ones_are_ready() {
    let world =
        World::with(|server| server.layer(LoadShedLayer::new()).layer(ConcurrencyLimitLayer::new(1))).await;
    let bench = world.bench().await;
    let _first = waiting(&world, &bench).await;
    assert_eq!(said(bench.wait().await), (Some(Reason::Overloaded), Executed::No));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_back_its_permit() {
    let world = World::with(|server| server.layer(ConcurrencyLimitLayer::new(1))).await;
    let bench = world.bench().await;
    let first = waiting(&world, &bench).await;
    let second = tokio::spawn({
        let bench = bench.clone();
        async move { bench.echo("next".into()).await }
    });
    settle().await;
    assert!(!second.is_finished(), "there is one permit");
    first.abort();
    assert_eq!(second.await.unwrap().unwrap(), "next");
    assert_eq!(world.probe.ended(), 1, "the handler was dropped");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_passes_while_it_waits_for_a_permit_never_runs() {
    let world = World::with(|server| server.layer(ConcurrencyLimitLayer::new(1))).await;
    let bench = world.bench().await;
    let _first = waiting(&world, &bench).await;
    let hurried = bench.with(CallOptions::timeout(ms(50)));
    assert_eq!(hurried.wait().await.unwrap_err().reason(), Some(Reason::Deadline));
    settle().await;
    world.probe.gate.notify_one();
    settle().await;
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_behind_a_buffer_lets_calls_through_at_its_rate() {
    let layers = || ServiceBuilder::new().buffer(16).rate_limit(2, Duration::from_secs(1));
    let world = World::with(|server| server.layer(layers())).await;
    let bench = world.bench().await;
    let begun = tokio::time::Instant::now();
    for _ in 0..5 {
        bench.echo("x".into()).await.unwrap();
    }
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_layer_that_nobody_knows_says_its_text_and_that_nothing_ran() {
    let closed = |_: ServerCall| Err::<ServerCall, _>(tower::BoxError::from("closed on Sundays"));
    let world = World::with(|server| server.layer(tower::filter::FilterLayer::new(closed))).await;
    let error = world.bench().await.wait().await.unwrap_err();
    assert_eq!((error.code(), error.executed()), (Some(rpcnet::Code::Internal), Executed::No));
    assert!(error.to_string().contains("closed on Sundays"), "{error}");
    assert_eq!(world.probe.began(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_handler_or_in_a_layer_ends_one_call() {
    let strict = Before(|call: &ServerCall| assert_ne!(call.method(), "Bench/wait", "as asked"));
    let world = World::with(|server| server.layer(strict)).await;
    let channel = world.channel().await;
    let bench = crate::world::BenchClient::new(channel.clone());
    assert_eq!(said(bench.panic().await), (Some(Reason::Panicked), Executed::Yes));
    assert_eq!(said(bench.wait().await), (Some(Reason::Panicked), Executed::No));
    assert!(channel.is_connected());
    assert_eq!(bench.echo("still there".into()).await.unwrap(), "still there");
}

#[tokio::test(start_paused = true)]
async fn a_layer_knows_the_method_before_anything_is_decoded() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let layer = Before(move |call: &ServerCall| {
        let method = call.descriptor().map(|method| (method.name, method.idempotency));
        let peer = call.context().peer().map(|peer| peer.ip().to_string());
        let current = Context::current().and_then(|current| current.deadline());
        assert_eq!(call.context().deadline(), current);
        notes.lock().unwrap().push((call.method().to_owned(), method, call.kind(), peer));
    });
    let world = World::with(|server| server.layer(layer).register("bytes", |b| async { Ok(b) })).await;
    let channel = world.channel().await;
    channel.call("bytes", "x").await.unwrap();
    // Not the encoding of a text.
    let error = channel.call("Bench/echo", vec![250]).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UndecodableArguments), Executed::No));
    assert_eq!(channel.call("unknown", "").await.unwrap_err().reason(), Some(Reason::UnknownMethod));
    let peer = Some("10.0.0.2".to_owned());
    let echo = Some(("echo", Idempotency::Idempotent));
    let expected = [
        ("bytes".to_owned(), None, CallKind::Unary, peer.clone()),
        ("Bench/echo".to_owned(), echo, CallKind::Unary, peer),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_first_layer_is_the_outermost() {
    let (outer, count_outer) = counting();
    let (inner, count_inner) = counting();
    let deny = rpcnet::layer::AuthorizeLayer::new(|_| {
        Err(rpcnet::Status::new(Reason::PermissionDenied, Executed::No, "never"))
    });
    let world = World::with(|server| server.layer(count_outer).layer(deny).layer(count_inner)).await;
    world.bench().await.wait().await.unwrap_err();
    assert_eq!((outer.load(Ordering::SeqCst), inner.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn repeats_attach_and_are_replayed_behind_layers() {
    let world = World::with(|server| server.layer(ConcurrencyLimitLayer::new(8))).await;
    let bench = world.bench().await;
    let id = Uuid::from_u128(7);
    let (first, second) =
        tokio::join!(bench.charge(id, "ann".into(), 500), bench.charge(id, "ann".into(), 500));
    assert_eq!((first.unwrap(), second.unwrap()), (500, 500));
    assert_eq!(bench.charge(id, "ann".into(), 500).await.unwrap(), 500);
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_that_a_layer_cuts_runs_on() {
    let world = World::with(|server| server.layer(TimeoutLayer::new(ms(50)))).await;
    let bench = world.bench().await;
    let id = Uuid::from_u128(7);
    let cut = bench.charge(id, "ann".into(), 500).await;
    assert_eq!(said(cut), (Some(Reason::Deadline), Executed::Unknown));
    tokio::time::sleep(ms(100)).await;
    assert_eq!(bench.charge(id, "ann".into(), 500).await.unwrap(), 500);
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}
