//! A channel's connections: when they are opened, how many there are, and why they end.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpcnet::{
    CallOptions, Channel, CloseReason, Executed, Limits, Reason, Server,
    transport::{Address, BoxFuture, BoxStream, Listener, Transport, memory::MemoryHost},
};
use tokio::time::Instant;

use crate::world::{BenchClient, BenchServer, World, settle};

/// Counts the dials.
#[derive(Debug, Clone)]
struct Counted {
    host: MemoryHost,
    dials: Arc<AtomicUsize>,
}

impl Transport for Counted {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        self.host.connect(to)
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.host.listen(at)
    }
}

/// A channel to a server that is gone, and how often it has been dialled.
async fn to_nobody() -> (World, Channel, Arc<AtomicUsize>) {
    let world = World::new().await;
    world.network.kill(world.server.ip());
    world.serving.abort();
    settle().await;
    let dials = Arc::default();
    let transport = Counted { host: world.client.clone(), dials: Arc::clone(&dials) };
    let channel = Channel::builder(world.addr).transport(transport).lazy();
    (world, channel, dials)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_not_hammered() {
    let (_world, channel, dials) = to_nobody().await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let error = channel.call("echo", "").await.unwrap_err();
        assert_eq!((error.reason(), error.executed()), (Some(Reason::ConnectFailed), Executed::No));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let dials = dials.load(Ordering::SeqCst);
    // 50 ms doubled up to 3 s, each at least half of it: between 6 + 18 and 6 + 40 in a minute.
    assert!((20..50).contains(&dials), "{dials} dials in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_ready_is_served_when_the_server_comes() {
    let (world, channel, _) = to_nobody().await;
    let patient =
        BenchClient::new(channel).with(CallOptions::timeout(Duration::from_secs(30)).wait_for_ready(true));
    let call = tokio::spawn(async move { patient.echo("late".into()).await });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let server = Server::builder()
        .service(BenchServer::new(world.probe.clone()))
        .transport(world.network.host(world.server.ip()));
    tokio::spawn(server.bind(world.addr).await.unwrap().serve());
    let bound = Instant::now();
    assert_eq!(call.await.unwrap().unwrap(), "late");
    assert!(bound.elapsed() < Duration::from_secs(4), "{:?}", bound.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_ready_ends_by_its_deadline_and_says_why() {
    let (_world, channel, _) = to_nobody().await;
    let begun = Instant::now();
    let patient = channel.with(CallOptions::timeout(Duration::from_secs(5)).wait_for_ready(true));
    let error = patient.call("echo", "").await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::No));
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert!(error.to_string().contains("cannot connect to"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn several_connections_take_the_calls_in_turn() {
    let mut limits = Limits::default();
    limits.calls_max = 1;
    let world = World::with(|server| server.limits(limits)).await;
    let builder = Channel::builder(world.addr).transport(world.client.clone());
    let channel = builder.connections(NonZeroUsize::new(3).unwrap()).connect().await.unwrap();
    let bench = BenchClient::new(channel);
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.wait().await })
        })
        .collect();
    settle().await;
    assert_eq!(world.probe.began(), 3, "one on each connection");
    assert_eq!(bench.wait().await.unwrap_err().reason(), Some(Reason::TooManyCalls));
    world.probe.gate.notify_waiters();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_lost_call_says_why_its_connection_ended() {
    let world = World::new().await;
    let channel = world.channel().await;
    let call = tokio::spawn({
        let bench = BenchClient::new(channel.clone());
        async move { bench.wait().await }
    });
    settle().await;
    channel.disconnect();
    let error = call.await.unwrap().unwrap_err();
    let cause = error.status().and_then(|status| status.cause()?.downcast_ref::<CloseReason>());
    assert_eq!(cause, Some(&CloseReason::ShutDown));
}
