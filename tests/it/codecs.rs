//! Clients of every codec at one server, at the same time.

use std::{collections::BTreeMap, time::Duration};

use rpcnet::{Address, CallError, Codec, Executed, Reason, prelude::*, transport::Transport};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    kinds::{KindsClient, KindsServer, Probe},
    world::{BenchClient, BenchError, World},
};

const ALL: [Codec; 3] = [Codec::Bincode, Codec::Postcard, Codec::Json];

/// Values of many shapes, there and back.
#[rpc_trait]
pub(crate) trait Post {
    /// Gives back what it was given.
    async fn turn(&self, parcel: Parcel, copies: u8) -> rpcnet::Result<Vec<Parcel>>;

    /// Fails, with a cause.
    async fn lose(&self) -> rpcnet::Result<()>;

    /// Makes what JSON has no form for.
    async fn undefined(&self) -> rpcnet::Result<f64>;

    /// Gives back what it was given.
    async fn forward(&self, parcels: Streaming<Parcel>) -> rpcnet::Result<Streaming<Parcel>>;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, rpcnet::Schema)]
pub(crate) struct Parcel {
    id: Uuid,
    weight: f64,
    content: Bytes,
    labels: BTreeMap<String, Option<i64>>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, rpcnet::Schema)]
enum Kind {
    Letter,
    Box { width: u32, inside: Vec<Kind> },
    Other(String),
}

fn parcel(number: u128) -> Parcel {
    Parcel {
        id: Uuid::from_u128(number),
        weight: 0.1,
        content: Bytes::from_static(&[0, 128, 255]),
        labels: [("grüße".to_owned(), None), (String::new(), Some(i64::MIN))].into(),
        kind: Kind::Box { width: u32::MAX, inside: vec![Kind::Letter, Kind::Other("\"".to_owned())] },
    }
}

struct Office;

impl Post for Office {
    async fn turn(&self, parcel: Parcel, copies: u8) -> rpcnet::Result<Vec<Parcel>> {
        Ok(vec![parcel; copies.into()])
    }

    async fn lose(&self) -> rpcnet::Result<()> {
        Err("x".parse::<u8>().map_err(std::io::Error::other).unwrap_err().into())
    }

    async fn undefined(&self) -> rpcnet::Result<f64> {
        Ok(f64::NAN)
    }

    async fn forward(&self, parcels: Streaming<Parcel>) -> rpcnet::Result<Streaming<Parcel>> {
        Ok(parcels)
    }
}

async fn world() -> World {
    let fail = |_| async { Err(AppError::msg("as asked")) };
    World::with(|server| {
        server
            .service(PostServer::new(Office))
            .service(KindsServer::new(Probe::default()))
            .register("fail", fail)
    })
    .await
}

async fn channel(world: &World, codec: Codec) -> Channel {
    Channel::builder(world.addr).transport(world.client.clone()).codec(codec).connect().await.unwrap()
}

/// Makes the same calls with all codecs at once.
async fn with_each<F: Future<Output = ()> + Send + 'static>(world: &World, calls: impl Fn(Channel) -> F) {
    let mut running = Vec::new();
    for codec in ALL {
        running.push(tokio::spawn(calls(channel(world, codec).await)));
    }
    for calls in running {
        calls.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn values_and_errors_are_the_same_in_every_codec() {
    with_each(&world().await, |channel| async move {
        let post = PostClient::new(channel.clone());
        for number in 0..100 {
            let turned = post.turn(parcel(number), 2).await.unwrap();
            assert_eq!(turned, [parcel(number), parcel(number)]);
        }
        let Err(CallError::App(lost)) = post.lose().await else { panic!("it fails") };
        assert_eq!(lost.message(), "invalid digit found in string");
        let bench = BenchClient::new(channel.clone());
        assert_eq!(bench.slow_echo("grüße".into()).await.unwrap(), "grüße");
        let error = bench.refuse("no".into()).await.unwrap_err();
        assert!(matches!(error, CallError::App(BenchError::Refused(ref text)) if text == "no"), "{error:?}");
        // By those who do not know the method too.
        for name in ["fail", "Post/lose"] {
            let nothing = rpcnet::Caller::codec(&channel).encode(&[(); 0]).unwrap();
            let Err(CallError::App(error)) = channel.call(name, nothing).await else {
                panic!("{name} fails")
            };
            assert!(!error.message().is_empty() && error.causes().is_empty(), "{error:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn streams_are_the_same_in_every_codec() {
    with_each(&world().await, |channel| async move {
        let kinds = KindsClient::new(channel.clone());
        assert_eq!(kinds.sum(1, Streaming::iter(1..=1000)).await.unwrap(), 500_501);
        let counted = kinds.count(1000).await.unwrap();
        assert_eq!(all(counted).await, (1..=1000).collect::<Vec<_>>());
        let parcels = Streaming::iter((0..100).map(parcel));
        let forwarded = PostClient::new(channel).forward(parcels).await.unwrap();
        assert_eq!(all(forwarded).await, (0..100).map(parcel).collect::<Vec<_>>());
    })
    .await;
}

async fn all<T>(mut stream: Streaming<T>) -> Vec<T> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item.unwrap());
    }
    items
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_id_runs_once_in_every_codec_and_is_refused_in_another() {
    let world = world().await;
    for (number, codec) in (1..).zip(ALL) {
        let id = Uuid::from_u128(number);
        let bench = BenchClient::new(channel(&world, codec).await);
        for _ in 0..2 {
            let balance = bench.charge(id, format!("{codec:?}"), 500).await.unwrap();
            assert_eq!(balance, 500);
        }
        let error = bench.charge(id, format!("{codec:?}"), 501).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::RequestIdReused));
        for other in ALL.into_iter().filter(|other| *other != codec) {
            // The answer that is kept could not be read by whoever asks.
            let bench = BenchClient::new(channel(&world, other).await);
            let error = bench.charge(id, format!("{codec:?}"), 500).await.unwrap_err();
            assert_eq!((error.reason(), error.executed()), (Some(Reason::RequestIdReused), Executed::No));
            assert!(error.to_string().contains("another codec"), "{error}");
        }
    }
    assert_eq!(world.probe.began(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_types_calls_in_json() {
    let channel = channel(&world().await, Codec::Json).await;
    assert_eq!(channel.call("Bench/echo", r#"["hi"]"#).await.unwrap(), r#""hi""#);
    assert_eq!(channel.call("Bench/echo", "[ \"hi\" ]\n").await.unwrap(), r#""hi""#);
    assert_eq!(channel.call("Kinds/hello", "[]").await.unwrap(), r#""hello""#);
    for wrong in ["", "\"hi\"", r#"["hi",1]"#, r#"["hi"]]"#, r#"["hi"#] {
        let error = channel.call("Bench/echo", wrong).await.unwrap_err();
        assert_eq!((error.reason(), error.executed()), (Some(Reason::UndecodableArguments), Executed::No));
    }
}

#[tokio::test(start_paused = true)]
async fn what_json_has_no_form_for_fails_its_call_and_says_so() {
    let world = world().await;
    let post = PostClient::new(channel(&world, Codec::Json).await);
    let heavy = Parcel { weight: f64::INFINITY, ..parcel(1) };
    let error = post.turn(heavy, 1).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Unencodable), Executed::No));
    assert!(error.to_string().contains("JSON has no inf"), "{error}");
    let error = post.undefined().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Unencodable), Executed::Yes));
    assert_eq!(post.turn(parcel(1), 1).await.unwrap(), [parcel(1)]);
    let binary = PostClient::new(channel(&world, Codec::Postcard).await);
    assert!(binary.undefined().await.unwrap().is_nan());
}

#[tokio::test(start_paused = true)]
async fn a_codec_that_nobody_knows_is_answered_by_a_hello_and_the_end() {
    let world = world().await;
    for codec in [0, 4, 255] {
        let mut stream = world.client.connect(&Address::from(world.addr)).await.unwrap();
        stream.write_all(&hello(codec)).await.unwrap();
        let mut said = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "the server closes");
        assert_eq!(said[..8], *b"RpcN\x01\x01\x01\0", "the server says what it speaks");
    }
    let bench = BenchClient::new(channel(&world, Codec::Json).await);
    assert_eq!(bench.echo("fine".into()).await.unwrap(), "fine");
}

/// What a server says that was compiled without it.
#[tokio::test(start_paused = true)]
async fn a_client_whose_codec_the_server_does_not_have_learns_it() {
    let world = world().await;
    let mut listener = world.server.listen(&"10.0.0.1:7001".into()).await.unwrap();
    tokio::spawn(async move {
        let mut stream = std::future::poll_fn(|cx| listener.poll_accept(cx)).await.unwrap().stream;
        stream.write_all(&hello(1)).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let channel = Channel::builder("10.0.0.1:7001").transport(world.client.clone()).codec(Codec::Postcard);
    let error = channel.connect().await.unwrap_err();
    assert!(error.to_string().contains("does not have the codec asked for"), "{error}");
}

/// A hello that takes no calls and names a codec.
fn hello(codec: u8) -> Vec<u8> {
    [&b"RpcN\x01\x01"[..], &[codec, 0], b"\0\0\0\x01", &[0; 8], b"\0\0\x04\0", &[0; 2]].concat()
}
