//! Layers of a client.

use std::time::Duration;

use rpcnet::{Caller, Channel, Codec, Reason, layer::Outgoing, prelude::*};
use tower::{ServiceBuilder, retry::Policy};

use super::{ms, said, waiting};
use crate::world::{BenchClient, World, settle};

#[tokio::test(start_paused = true)]
async fn a_call_that_a_timeout_cut_may_have_run_and_is_cancelled() {
    let world = World::new().await;
    let bench = BenchClient::new(world.channel().await.layer(ServiceBuilder::new().timeout(ms(50))));
    assert_eq!(bench.echo("in time".into()).await.unwrap(), "in time");
    let error = bench.slow_echo("late".into()).await.unwrap_err();
    assert!(error.to_string().contains("Bench/slow_echo"), "{error}");
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::Unknown));
    settle().await;
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_shed_was_not_sent() {
    let world = World::new().await;
    let layers = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let bench = BenchClient::new(world.channel().await.layer(layers));
    let first = waiting(&world, &bench).await;
    assert_eq!(said(bench.wait().await), (Some(Reason::Overloaded), Executed::No));
    first.abort();
    settle().await;
    assert_eq!(bench.echo("the permit is back".into()).await.unwrap(), "the permit is back");
    assert_eq!((world.probe.began(), world.probe.ended()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_by_its_deadline_also_where_it_waits_for_a_layer() {
    let world = World::new().await;
    let options = CallOptions::timeout(Duration::from_secs(30));
    let channel = world.channel().await.with(options);
    let bench = BenchClient::new(channel.layer(ServiceBuilder::new().concurrency_limit(1)));
    let patient = bench.with(CallOptions::timeout(Duration::from_secs(60)));
    let _first = waiting(&world, &patient).await;
    let begun = tokio::time::Instant::now();
    let error = bench.wait().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::No));
    assert_eq!(begun.elapsed().as_secs(), 30, "the channel's own, and not ten seconds");
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_server_is_told_what_is_left_when_the_layers_let_a_call_through() {
    let world = World::new().await;
    let layers = ServiceBuilder::new().buffer(8).rate_limit(1, Duration::from_secs(1));
    let bench = BenchClient::new(world.channel().await.layer(layers));
    let bench = bench.with(CallOptions::timeout(Duration::from_secs(5)));
    let (first, second, third) = tokio::join!(bench.remaining(), bench.remaining(), bench.remaining());
    let left = [first, second, third].map(|left| left.unwrap().as_millis().div_ceil(1000));
    assert_eq!(left, [5, 4, 3], "each waited a second longer, and the way is short");
}

#[tokio::test(start_paused = true)]
async fn a_codec_passes_through_layers() {
    let world = World::new().await;
    let channel = Channel::builder(world.addr).transport(world.client.clone()).codec(Codec::Json);
    let caller = channel.connect().await.unwrap().layer(ServiceBuilder::new().timeout(ms(50)));
    assert_eq!(caller.codec(), Codec::Json);
    let caller = caller.layer(ServiceBuilder::new().concurrency_limit(2));
    assert_eq!(BenchClient::new(caller).echo("text".into()).await.unwrap(), "text");
}

/// Repeats what provably did not run, twice.
#[derive(Clone)]
struct Twice(u32);

impl<T> Policy<Outgoing, T, rpcnet::Status> for Twice {
    type Future = tokio::time::Sleep;

    fn retry(&mut self, _: &mut Outgoing, result: &mut Result<T, rpcnet::Status>) -> Option<Self::Future> {
        let again = result.as_ref().is_err_and(|status| status.executed() == Executed::No) && self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        again.then(|| tokio::time::sleep(ms(100)))
    }

    fn clone_request(&mut self, call: &Outgoing) -> Option<Outgoing> {
        call.try_clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_layer_repeats_what_was_refused_and_all_tries_that_were_refused_did_not_run() {
    let shed = || ServiceBuilder::new().load_shed().concurrency_limit(1);
    let world = World::with(|server| server.layer(shed())).await;
    let channel = world.channel().await;
    let bench = BenchClient::new(channel.clone().layer(ServiceBuilder::new().retry(Twice(2))));
    let _first = waiting(&world, &bench).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(said(bench.wait().await), (Some(Reason::Overloaded), Executed::No));
    assert_eq!(begun.elapsed().as_millis() / 100, 2);
    let (third, ()) = tokio::join!(bench.echo("third time".into()), async {
        tokio::time::sleep(ms(150)).await;
        world.probe.gate.notify_one();
    });
    assert_eq!(third.unwrap(), "third time");
}

#[tokio::test(start_paused = true)]
async fn a_service_in_the_same_process_takes_layers_at_both_ends() {
    let probe = crate::world::Probe::default();
    let server = Server::builder().service(crate::world::BenchServer::new(probe.clone()));
    let local = server.layer(ServiceBuilder::new().timeout(ms(50))).local().unwrap();
    let bench = BenchClient::new(local.layer(ServiceBuilder::new().timeout(ms(70))));
    assert_eq!(bench.echo("near".into()).await.unwrap(), "near");
    assert_eq!(said(bench.slow_echo("late".into()).await), (Some(Reason::Deadline), Executed::Unknown));
    assert_eq!((probe.began(), probe.ended()), (1, 1));
}
