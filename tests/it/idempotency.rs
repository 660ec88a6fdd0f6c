//! Row 16: a call is repeated.

use std::time::Duration;

use rpcnet::{CacheLimits, CallError, CallOptions, Codec, Executed, Reason, WhenFull, prelude::*};

use crate::world::{BenchClient, World, settle};

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
async fn row_16_other_arguments_are_refused_while_the_first_runs_and_do_not_disturb_it() {
    let world = World::new().await;
    let bench = world.bench().await;
    let first = tokio::spawn({
        let bench = bench.clone();
        async move { bench.charge(ID, "ann".into(), 500).await }
    });
    settle().await;
    let error = bench.charge(ID, "bob".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::RequestIdReused), Executed::No));
    assert_eq!(first.await.unwrap().unwrap(), 500);
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn row_16_a_repeat_that_gives_up_waiting_cancels_nothing() {
    let world = World::new().await;
    let bench = world.bench().await;
    let first = tokio::spawn({
        let bench = bench.clone();
        async move { bench.charge(ID, "ann".into(), 500).await }
    });
    settle().await;
    let hurried = bench.with(CallOptions::timeout(Duration::from_millis(20)));
    let error = hurried.charge(ID, "ann".into(), 500).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::Deadline));
    assert_eq!(first.await.unwrap().unwrap(), 500);
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn row_16_an_answer_too_large_to_be_kept_is_said_to_have_been_given() {
    let mut limits = CacheLimits::default();
    limits.answer_bytes_max = 0;
    let world = World::with(|server| server.cache_limits(limits)).await;
    let bench = world.bench().await;
    assert_eq!(bench.charge(ID, "ann".into(), 500).await.unwrap(), 500);
    let error = bench.charge(ID, "ann".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::AlreadyCompleted), Executed::Yes));
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_best_effort_table_forgets_the_oldest_and_refuses_its_repeat() {
    let mut limits = CacheLimits::default();
    (limits.entries_max, limits.when_full) = (2, WhenFull::BestEffort);
    let world = World::with(|server| server.cache_limits(limits)).await;
    let bench = world.bench().await;
    for id in 1..=3 {
        bench.charge(Uuid::from_u128(id), "ann".into(), 500).await.unwrap();
    }
    let error = bench.charge(Uuid::from_u128(1), "ann".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::DedupHorizonLost), Executed::Unknown));
    assert_eq!(bench.charge(Uuid::from_u128(3), "ann".into(), 500).await.unwrap(), 1500);
    assert_eq!(world.probe.began(), 3);
}

/// As after a machine was suspended: nothing that was promised for a time is broken by how it passes.
#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_over_the_window_runs_nothing_twice() {
    let world = World::new().await;
    let bench = world.bench().await;
    bench.charge(ID, "ann".into(), 500).await.unwrap();
    let running = tokio::spawn({
        let bench = bench.with(CallOptions::timeout(Duration::from_secs(100_000)));
        async move { bench.charge(Uuid::from_u128(8), "ann".into(), 500).await }
    });
    settle().await;
    tokio::time::advance(Duration::from_secs(36_000)).await;
    let _ = running.await.unwrap();
    let error = bench.charge(ID, "ann".into(), 500).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::DedupHorizonLost), "ten hours ago is more than the window");
    assert_eq!(bench.charge(Uuid::from_u128(8), "ann".into(), 500).await.unwrap(), 1000, "it ended just now");
    assert_eq!(world.probe.began(), 2);
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
    let bench = BenchClient::new(channel.clone());
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

#[rpc_trait]
trait Booking {
    /// Panics the first time it runs; says whether it knew that it ran again.
    #[rpc(on_unknown = "rerun")]
    async fn book(&self, ctx: Context, request_id: Uuid) -> rpcnet::Result<bool>;

    #[rpc(keyed)]
    async fn panic_once(&self, ctx: Context) -> rpcnet::Result<bool>;
}

#[derive(Default)]
struct Books(std::sync::atomic::AtomicBool);

impl Books {
    fn run(&self, ctx: &Context) -> bool {
        assert!(self.0.swap(true, std::sync::atomic::Ordering::Relaxed), "as asked");
        ctx.runs_again()
    }
}

impl Booking for Books {
    async fn book(&self, ctx: Context, request_id: Uuid) -> rpcnet::Result<bool> {
        assert_eq!(ctx.request_id(), Some(request_id));
        Ok(self.run(&ctx))
    }

    async fn panic_once(&self, ctx: Context) -> rpcnet::Result<bool> {
        assert!(ctx.request_id().is_some(), "the client made one");
        Ok(self.run(&ctx))
    }
}

#[tokio::test]
async fn what_panicked_runs_again_only_where_the_method_says_so_and_then_it_is_told() {
    let booking = BookingClient::local(Books::default());
    let error = booking.book(ID).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::Panicked));
    assert!(booking.book(ID).await.unwrap(), "it runs again, and knows");
    assert!(booking.book(ID).await.unwrap(), "and its answer is kept");

    let local = rpcnet::Local::new(BookingServer::new(Books::default())).unwrap();
    let method = rpcnet::MethodId::of("Booking/panic_once");
    let mut request = rpcnet::Request::untyped(
        "Booking/panic_once",
        Codec::default().encode(&()).unwrap(),
        CallOptions::new(),
    );
    (request.request_id, request.idempotency) = (Some(ID), rpcnet::Idempotency::Keyed);
    assert_eq!(request.method, method);
    let first = rpcnet::Caller::invoke(&local, request.clone()).await.unwrap_err();
    assert_eq!(first.reason(), Reason::Panicked);
    let repeat = rpcnet::Caller::invoke(&local, request).await.unwrap_err();
    assert_eq!((repeat.reason(), repeat.executed()), (Reason::OutcomeUnknown, Executed::Unknown));
}

/// The process that ran the request is gone, and another is at its address: it must not run what it cannot know.
#[tokio::test(start_paused = true)]
async fn a_repeat_that_meets_a_restarted_server_is_refused_and_a_new_request_is_served() {
    let world = World::new().await;
    let (bench, probe) = (world.bench().await, world.probe.clone());
    bench.charge(ID, "ann".into(), 500).await.unwrap();
    world.network.kill([10, 0, 0, 1].into());
    let host = world.network.host([10, 0, 0, 1]);
    let server = Server::builder().service(crate::world::BenchServer::new(probe.clone()));
    tokio::spawn(server.transport(host).bind(world.addr).await.unwrap().serve());
    settle().await;
    let error = bench.charge(ID, "ann".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::DedupHorizonLost), Executed::Unknown));
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(probe.began(), 1);
    bench.charge(Uuid::from_u128(8), "ann".into(), 500).await.unwrap();
    let another = BenchClient::new(world.channel().await);
    let since = tokio::time::Instant::now().into_std() - Duration::from_secs(3600);
    let repeat = another.with(CallOptions::new().first_sent_at(since));
    let error = repeat.charge(Uuid::from_u128(9), "ann".into(), 500).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::DedupHorizonLost), "another client's, and it says so");
    assert_eq!(probe.began(), 2);
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
