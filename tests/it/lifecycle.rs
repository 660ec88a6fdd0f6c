//! Connections that come and go.

use std::time::Duration;

use bytes::Bytes;
use rpcnet::{
    CallError, Channel, Executed, Reason, Server,
    transport::{Transport, memory::MemoryNetwork},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use crate::world::{BenchServer, World, settle};

#[tokio::test(start_paused = true)]
async fn a_lost_connection_fails_the_calls_on_it_and_the_next_call_opens_another() {
    let world = World::new().await;
    let bench = world.bench().await;
    let call = tokio::spawn({
        let bench = bench.clone();
        async move { bench.wait().await }
    });
    settle().await;
    world.network.kill(world.server.ip());
    world.serving.abort();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::ConnectionLost));
    let error = bench.echo(String::new()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::ConnectFailed), Executed::No));

    let server = Server::builder()
        .service(BenchServer::new(world.probe.clone()))
        .transport(world.network.host(world.server.ip()));
    tokio::spawn(server.bind(world.addr).await.unwrap().serve());
    let patient = bench.with(rpcnet::CallOptions::new().wait_for_ready(true));
    assert_eq!(patient.echo("again".into()).await.unwrap(), "again");
}

/// The same, by calls each of which has the default deadline.
#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_costs_a_few_calls_and_not_all_of_them() {
    let world = World::new().await;
    let bench = world.bench().await;
    bench.echo(String::new()).await.unwrap();
    world.network.cut(world.server.ip(), world.client.ip());
    let mut reasons = Vec::new();
    for _ in 0..4 {
        reasons.extend(bench.echo(String::new()).await.unwrap_err().reason());
    }
    assert!(reasons.contains(&Reason::ConnectFailed), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_is_found_out_by_keepalive() {
    let world = World::new().await;
    let bench = world.bench().await.with(rpcnet::CallOptions::timeout(Duration::from_secs(3600)));
    let begin = Instant::now();
    let call = tokio::spawn(async move { bench.wait().await });
    settle().await;
    world.network.cut(world.server.ip(), world.client.ip());
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::ConnectionLost), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(16), "{:?}", begin.elapsed());
    settle().await;
    assert_eq!(world.probe.ended(), 1, "the server too found the caller gone, and cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_calls_finish_and_refuses_new_ones() {
    let world = World::new().await;
    let bench = world.bench().await;
    let call = tokio::spawn({
        let bench = bench.clone();
        async move { bench.wait().await }
    });
    settle().await;
    world.shutdown.notify_one();
    settle().await;
    let error = bench.echo(String::new()).await.unwrap_err();
    assert_eq!(error.executed(), Executed::No, "{error}");
    assert!(!world.serving.is_finished());
    world.probe.gate.notify_one();
    call.await.unwrap().unwrap();
    drop(bench);
    world.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_connections_that_never_say_anything() {
    let world = World::new().await;
    let mut silent = world.client.connect(&world.addr.into()).await.unwrap();
    let mut greeted = world.client.connect(&world.addr.into()).await.unwrap();
    greeted.write_all(b"RpcN\x01\x01\x01\0\0\0\0\x01\0\0\0\0\0\0").await.unwrap();
    settle().await;
    let begin = Instant::now();
    world.shutdown.notify_one();
    world.serving.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_cancels_what_does_not_finish_in_time() {
    let world = World::with(|server| server.shutdown_timeout(Duration::from_secs(2))).await;
    let bench = world.bench().await;
    let call = tokio::spawn(async move { bench.wait().await });
    settle().await;
    let begin = Instant::now();
    world.shutdown.notify_one();
    world.serving.await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_secs(2));
    assert!(matches!(call.await.unwrap(), Err(CallError::OutcomeUnknown(_))));
    assert_eq!(world.probe.ended(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_clients_that_have_nothing_to_say() {
    let world = World::new().await;
    let bench = world.bench().await;
    bench.echo(String::new()).await.unwrap();
    let begin = Instant::now();
    world.shutdown.notify_one();
    world.serving.await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(10), "{:?}", begin.elapsed());
    let error = bench.echo(String::new()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::ConnectFailed), Executed::No));
}

/// A server that takes a second for each call, one at a time if it is told so, its handle, and a channel to it.
async fn drainable(running_max: usize) -> (rpcnet::ServerHandle, tokio::task::JoinHandle<()>, Channel) {
    let network = MemoryNetwork::new(1);
    let server = Server::builder()
        .transport(network.host([10, 0, 0, 1]))
        .running_max(running_max)
        .register("second", |bytes| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(bytes)
        })
        .bind("10.0.0.1:80")
        .await
        .unwrap();
    let (handle, address) = (server.handle(), server.address().clone());
    let serving = tokio::spawn(server.serve());
    let channel = Channel::builder(address).transport(network.host([10, 0, 0, 2])).connect().await.unwrap();
    (handle, serving, channel)
}

fn second(channel: &Channel) -> tokio::task::JoinHandle<Result<Bytes, CallError>> {
    let channel = channel.clone();
    tokio::spawn(async move { channel.call("second", vec![]).await })
}

#[tokio::test(start_paused = true)]
async fn a_drained_server_answers_what_it_took_also_what_waits_and_ends_as_soon_as_it_has() {
    let (handle, serving, channel) = drainable(1).await;
    let (runs, waits) = (second(&channel), second(&channel));
    settle().await;
    assert_eq!((handle.load().running(), handle.load().queued()), (1, 1));
    let begin = Instant::now();
    let draining = tokio::spawn({
        let handle = handle.clone();
        async move { handle.drain(Duration::from_secs(60)).await }
    });
    settle().await;
    let refused = second(&channel).await.unwrap().unwrap_err();
    assert_eq!(refused.executed(), Executed::No, "{refused}");
    assert_eq!(draining.await.unwrap().cut_off, 0);
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    runs.await.unwrap().unwrap();
    waits.await.unwrap().unwrap();
    serving.await.unwrap();
    assert_eq!(handle.drain(Duration::ZERO).await.cut_off, 0, "it has ended");
}

#[tokio::test(start_paused = true)]
async fn what_a_drained_server_cuts_off_is_counted() {
    let (handle, serving, channel) = drainable(2).await;
    let calls = [second(&channel), second(&channel), second(&channel)];
    settle().await;
    let drained = handle.drain(Duration::from_millis(100)).await;
    assert_eq!(drained.cut_off, 3);
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    serving.await.unwrap();
    assert_eq!((handle.load().running(), handle.load().queued()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_drains_a_server_that_ends_otherwise_is_not_kept_waiting() {
    let (handle, serving, _channel) = drainable(1).await;
    serving.abort();
    assert_eq!(handle.drain(Duration::from_secs(60)).await.cut_off, 0);
    let idle = Server::builder().transport(MemoryNetwork::new(1).host([10, 0, 0, 1]));
    let idle = idle.bind("10.0.0.1:80").await.unwrap();
    let handle = idle.handle();
    drop(idle);
    assert_eq!(handle.drain(Duration::from_secs(60)).await.cut_off, 0);
}
