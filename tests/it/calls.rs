//! One call: what comes back, and when.

use std::time::Duration;

use rpcnet::{CallError, CallOptions, Code, Executed, Reason, prelude::*};
use tokio::time::Instant;

use crate::world::{BenchClient, BenchError, World, settle};

#[tokio::test(start_paused = true)]
async fn values_and_typed_errors_come_back_as_they_were() {
    let bench = World::new().await.bench().await;
    assert_eq!(bench.echo("grüße".into()).await.unwrap(), "grüße");
    let error = bench.refuse("no".into()).await.unwrap_err();
    assert!(matches!(error, CallError::App(BenchError::Refused(ref text)) if text == "no"), "{error:?}");
    assert_eq!(error.to_string(), "refused: no");
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_call_alone() {
    let world = World::new().await;
    let bench = world.bench().await;
    let waiting = tokio::spawn({
        let bench = bench.clone();
        async move { bench.wait().await }
    });
    settle().await;
    let error = bench.panic().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Panicked), Executed::Yes));
    world.probe.gate.notify_one();
    waiting.await.unwrap().unwrap();
    assert_eq!(bench.echo("still here".into()).await.unwrap(), "still here");
}

/// The value a handler panics with is the user's too.
#[tokio::test(start_paused = true)]
async fn a_panic_whose_value_panics_when_dropped_fails_its_call_alone() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let bomb = |_| async { std::panic::panic_any(Bomb) };
    let late = |_| async {
        tokio::task::yield_now().await;
        std::panic::panic_any(Bomb)
    };
    let world = World::with(|server| server.register("bomb", bomb).register("late", late)).await;
    let channel = world.channel().await;
    for name in ["bomb", "late"] {
        let error = channel.call(name, "").await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::Panicked), "{error}");
    }
}

/// Row 15: a call hangs, and nobody said how long it may.
#[tokio::test(start_paused = true)]
async fn row_15_a_default_deadline_ends_a_call_that_hangs() {
    let world = World::new().await;
    let begin = Instant::now();
    let error = world.bench().await.wait().await.unwrap_err();
    let took = begin.elapsed();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
    assert!(
        (CallOptions::TIMEOUT_DEFAULT..CallOptions::TIMEOUT_DEFAULT + Duration::from_millis(10))
            .contains(&took)
    );
    settle().await;
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1), "the handler is cancelled too");
}

/// Row 15, the other half: a host that swallows everything.
#[tokio::test(start_paused = true)]
async fn row_15_opening_a_connection_ends_before_the_call_would() {
    let world = World::new().await;
    world.network.cut(world.server.ip(), world.client.ip());
    let channel = Channel::builder(world.addr).transport(world.client.clone()).lazy();
    let begin = Instant::now();
    let error = BenchClient::new(channel).echo(String::new()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::ConnectFailed), Executed::No));
    assert_eq!(begin.elapsed(), Channel::CONNECT_TIMEOUT_DEFAULT);
    assert!(error.to_string().contains("10.0.0.1:7000"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_travels_with_the_call_and_is_inherited_by_the_calls_it_makes() {
    let world = World::new().await;
    let bench = world.bench().await.with(CallOptions::timeout(Duration::from_secs(4)));
    let remaining = bench.remaining().await.unwrap();
    assert!((Duration::from_millis(3_990)..=Duration::from_secs(4)).contains(&remaining), "{remaining:?}");

    // A server in between, whose own call names no timeout.
    let inner = world.bench().await;
    let outer = rpcnet::Server::builder()
        .register("ask", move |_| {
            let inner = inner.clone();
            async move { Ok(inner.remaining().await?.as_millis().to_string().into()) }
        })
        .transport(world.client.clone())
        .bind("10.0.0.2:7000")
        .await
        .unwrap();
    let addr = outer.local_addr();
    tokio::spawn(outer.serve());
    let channel = Channel::builder(addr).transport(world.client.clone()).lazy();
    let millis = channel.with(CallOptions::timeout(Duration::from_secs(2))).call("ask", "").await.unwrap();
    let millis: u64 = std::str::from_utf8(&millis).unwrap().parse().unwrap();
    assert!((1_900..=2_000).contains(&millis), "{millis}");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_cancels_it_at_the_server() {
    let world = World::new().await;
    let bench = world.bench().await;
    let call = tokio::spawn(async move { bench.wait().await });
    settle().await;
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 0));
    call.abort();
    settle().await;
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

/// Dropped before the driver has sent it: call and cancel leave, and arrive, together.
#[tokio::test(start_paused = true)]
async fn a_call_dropped_as_soon_as_it_was_made_leaves_nothing_running() {
    let world = World::new().await;
    let bench = world.bench().await;
    for _ in 0..100 {
        let mut call = Box::pin(bench.wait());
        std::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
    settle().await;
    assert_eq!(world.probe.began(), world.probe.ended());
}

/// Also with settings that mean "never".
#[tokio::test(start_paused = true)]
async fn the_longest_timeout_is_a_timeout_and_none_at_all_sends_nothing() {
    let world = World::new().await;
    let bench = world.bench().await;
    assert!(bench.with(CallOptions::timeout(Duration::MAX)).echo(String::new()).await.is_ok());
    let error = bench.with(CallOptions::timeout(Duration::ZERO)).wait().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::No));
    settle().await;
    assert_eq!(world.probe.began(), 0);
}

/// A runtime that ends takes the driver of its connections with it.
#[test]
fn calls_on_a_connection_whose_runtime_is_gone_fail_and_do_not_hang() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let first = runtime();
    let (world, channel) = first.block_on(async {
        let world = World::new().await;
        let channel = world.channel().await;
        (world, channel)
    });
    drop(first);
    let error = runtime().block_on(channel.call("Bench/echo", "")).unwrap_err();
    assert_eq!(error.executed(), Executed::No, "{error}");
    drop(world);
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_connection_do_not_wait_for_each_other() {
    let world = World::new().await;
    let bench = world.bench().await;
    let waiting = tokio::spawn({
        let bench = bench.clone();
        async move { bench.wait().await }
    });
    for n in 0..100 {
        assert_eq!(bench.echo(n.to_string()).await.unwrap(), n.to_string());
    }
    world.probe.gate.notify_one();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_untyped_call_reaches_a_typed_method_with_encoded_arguments() {
    let world = World::new().await;
    let channel = world.channel().await;
    let encoded = rpcnet::Codec::Bincode.encode(&("hi".to_owned(),)).unwrap();
    let answer = channel.call("Bench/echo", encoded.clone()).await.unwrap();
    assert_eq!(rpcnet::Codec::Bincode.decode::<String>(&answer).unwrap(), "hi");
    let error = channel.call("Bench/refuse", encoded).await.unwrap_err();
    assert!(matches!(error, CallError::App(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn the_connection_closes_when_nobody_holds_it() {
    let world = World::new().await;
    let bench = world.bench().await;
    bench.echo(String::new()).await.unwrap();
    drop(bench);
    settle().await;
    // A server that is told to stop ends at once when no connection is left.
    let begin = Instant::now();
    world.shutdown.notify_one();
    world.serving.await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(10));
}
