//! The four kinds of call, through layers at both ends.

use rpcnet::{
    layer::{AuthorizeLayer, BearerLayer, TraceLayer},
    prelude::*,
};
use tower::ServiceBuilder;

use super::ms;
use crate::{
    kinds::{KindsClient, KindsServer, Probe},
    world::{World, settle},
};

async fn layered() -> (KindsClient<impl rpcnet::Caller>, Probe, World) {
    let probe = Probe::default();
    let limited = ServiceBuilder::new().load_shed().concurrency_limit(4).timeout(ms(200));
    let world = World::with(|server| {
        let server = server.service(KindsServer::new(probe.clone())).layer(TraceLayer::new());
        server.layer(AuthorizeLayer::bearer(["token"]).unwrap()).layer(limited)
    })
    .await;
    let layers = ServiceBuilder::new()
        .layer(TraceLayer::new())
        .buffer(8)
        .timeout(ms(300))
        .layer(BearerLayer::new("token").unwrap());
    (KindsClient::new(world.channel().await.layer(layers)), probe, world)
}

async fn read<T>(mut items: Streaming<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(item.unwrap());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_call_passes_through_layers_at_both_ends() {
    let (kinds, _, _world) = layered().await;
    assert_eq!(kinds.hello().await.unwrap(), "hello");
    assert_eq!(read(kinds.count(1000).await.unwrap()).await, (1..=1000).collect::<Vec<_>>());
    assert_eq!(kinds.sum(1, Streaming::iter(1..=1000)).await.unwrap(), 500_501);
    let lines = Streaming::iter(["a", "b"].map(str::to_owned));
    assert_eq!(read(kinds.chat(lines).await.unwrap()).await, ["A", "B"]);
}

/// A layer's timeout is about the answer: a stream after it lasts as long as it lasts.
#[tokio::test(start_paused = true)]
async fn a_stream_outlives_the_timeout_of_a_layer_and_ends_when_nobody_reads_it() {
    let (kinds, probe, _world) = layered().await;
    let mut hours = kinds.hours().await.unwrap();
    assert_eq!(hours.next().await.unwrap().unwrap(), 1);
    drop(hours);
    settle().await;
    assert_eq!(probe.ended(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_cannot_be_cancelled_learns_through_layers_that_nobody_waits() {
    let (kinds, probe, _world) = layered().await;
    let error = kinds.dogged().await.unwrap_err();
    assert_eq!(error.executed(), Executed::Unknown);
    settle().await;
    assert_eq!((probe.made(), probe.ended()), (1, 1));
}
