//! Bad input: a clear error, nothing lost, and everybody else goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpcnet::{
    Address, BindError, CallError, Executed, Limits, MethodId, Reason, Server, prelude::*,
    transport::Transport,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

use crate::world::{BenchClient, BenchServer, Probe, World, settle};

#[tokio::test(start_paused = true)]
async fn an_unknown_method_is_named_and_nothing_runs() {
    let channel = World::new().await.channel().await;
    let error = channel.call("Bench/ekko", "").await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UnknownMethod), Executed::No));
    let text = error.to_string();
    assert!(text.contains("Bench/ekko at 10.0.0.1:7000") && text.contains("Bench/echo"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn arguments_that_do_not_decode_fail_their_call_and_say_what_was_expected() {
    let world = World::new().await;
    let channel = world.channel().await;
    let error = channel.call("Bench/charge", vec![255; 3]).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UndecodableArguments), Executed::No));
    let error = channel.call("Bench/echo", vec![255; 3]).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UndecodableArguments), Executed::No));
    assert!(error.to_string().contains("(text: String)"), "{error}");
    assert_eq!(BenchClient::new(channel).echo("fine".into()).await.unwrap(), "fine");
    assert_eq!(world.probe.began(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_oversized_message_fails_its_call_and_names_the_limit() {
    let mut limits = Limits::default();
    limits.message_bytes_max = 1000;
    let world = World::with(|server| server.limits(limits)).await;
    let bench = world.bench().await;
    let error = bench.echo("x".repeat(1001)).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::MessageTooLarge), Executed::No));
    assert!(error.to_string().contains("1000") && error.to_string().contains("message_bytes_max"), "{error}");
    assert_eq!(bench.echo("fine".into()).await.unwrap(), "fine");
}

#[tokio::test(start_paused = true)]
async fn an_oversized_answer_fails_its_call_which_has_run() {
    let mut limits = Limits::default();
    limits.message_bytes_max = 1000;
    let narrow = BenchClient::new(World::new().await.channel_with(limits).await);
    let error = narrow.echo("x".repeat(1001)).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::MessageTooLarge), Executed::Yes));
    assert_eq!(narrow.echo("fine".into()).await.unwrap(), "fine");
}

#[tokio::test]
async fn a_port_in_use_says_which_and_what_to_do() {
    let first = Server::builder().bind("127.0.0.1:0").await.unwrap();
    let addr = first.local_addr();
    let error = Server::builder().bind(addr).await.unwrap_err();
    assert!(matches!(error, BindError::Listen { .. }));
    let text = error.to_string();
    assert!(text.contains(&addr.to_string()) && text.contains("port 0"), "{text}");
}

#[tokio::test]
async fn a_service_registered_twice_is_an_error_of_bind_that_names_both() {
    let service = || BenchServer::new(Probe::default());
    let error =
        Server::builder().service(service()).service(service()).bind("127.0.0.1:0").await.unwrap_err();
    assert!(error.to_string().contains("Bench/echo cannot be served beside Bench/echo"), "{error}");
}

#[tokio::test]
async fn plain_text_leaves_the_loopback_interface_only_when_asked() {
    let error = Server::builder().bind("0.0.0.0:0").await.unwrap_err();
    assert!(error.to_string().contains("allow_plaintext"), "{error}");
    drop(Server::builder().allow_plaintext().bind("0.0.0.0:0").await.unwrap());
    let error = Channel::connect("192.0.2.1:7001").await.unwrap_err();
    assert!(error.to_string().contains("allow_plaintext"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_a_typed_error() {
    let world = World::new().await;
    let nobody =
        Channel::builder("10.0.0.1:7001").transport(world.client.clone()).connect().await.unwrap_err();
    assert!(nobody.is_refused(), "{nobody}");
    assert!(nobody.to_string().contains("10.0.0.1:7001"), "{nobody}");
}

#[tokio::test(start_paused = true)]
async fn garbage_on_the_port_harms_nobody_else() {
    let world = World::new().await;
    let bench = world.bench().await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 64],
        b"RpcN\x01\x01\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut stream = world.client.connect(&Address::from(world.addr)).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the server closes: {garbage:?}");
        assert_eq!(bench.echo("fine".into()).await.unwrap(), "fine");
    }
}

/// Thirty-six bytes a call, a megabyte an answer, and nobody reads.
#[tokio::test(start_paused = true)]
async fn calls_of_a_client_that_does_not_read_are_not_begun_for_long() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let blob = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(Bytes::from(vec![0; 1 << 20])) }
    };
    let world = World::with(|server| server.register("blob", blob)).await;
    let mut greedy = world.client.connect(&world.addr.into()).await.unwrap();
    let hello = *b"RpcN\x01\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x04\0\0\0";
    greedy.write_all(&hello).await.unwrap();
    let method = u64::from_str_radix(&MethodId::of("blob").to_string(), 16).unwrap();
    for call in 0..1000u64 {
        let id = (call + 1) << 24 | call << 1;
        let head = [&20u32.to_le_bytes()[..], &[1, 1], &20u16.to_le_bytes(), &id.to_le_bytes()].concat();
        greedy
            .write_all(&[&head[..], &method.to_le_bytes(), &u64::MAX.to_le_bytes(), &[0; 4]].concat())
            .await
            .unwrap();
    }
    settle().await;
    let max = Limits::default().unsent_bytes_max >> 20;
    assert!((1..=4 * max).contains(&begun.load(Ordering::SeqCst)), "{begun:?} of 1000");
    // What was held up goes on when the client reads.
    let mut read = 0;
    while read < 20 << 20 {
        read += greedy.read(&mut vec![0; 1 << 20]).await.unwrap();
    }
    assert!(begun.load(Ordering::SeqCst) >= 20, "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_closed_after_the_handshake_timeout() {
    let world = World::new().await;
    let mut stream = world.client.connect(&Address::from(world.addr)).await.unwrap();
    let begin = tokio::time::Instant::now();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    let limit = Limits::default().handshake_timeout;
    assert!((limit..limit + Duration::from_millis(10)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_something_else_is_named() {
    let world = World::new().await;
    let mut listener = world.server.listen(&"10.0.0.1:80".into()).await.unwrap();
    tokio::spawn(async move {
        let mut stream = std::future::poll_fn(|cx| listener.poll_accept(cx)).await.unwrap().stream;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = Channel::builder("10.0.0.1:80").transport(world.client.clone()).connect().await.unwrap_err();
    assert!(error.to_string().contains("does not speak the RpcNet protocol"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn connections_past_the_limit_are_closed_and_the_others_served() {
    let world = World::with(|server| server.connections_max(1)).await;
    let bench = world.bench().await;
    let second = Channel::builder(world.addr).transport(world.client.clone()).connect().await.unwrap_err();
    assert!(matches!(second, rpcnet::ConnectError::Handshake { .. }), "{second}");
    assert_eq!(bench.echo("fine".into()).await.unwrap(), "fine");
}

/// Work that goes on whoever waits for it.
#[rpc_trait]
trait Stubborn {
    #[rpc(no_cancel)]
    async fn work(&self) -> rpcnet::Result<()>;
}

/// Counts what has begun, and ends it when the gate opens.
#[derive(Clone, Default)]
struct Works {
    begun: Arc<AtomicUsize>,
    gate: Arc<Notify>,
}

impl Stubborn for Works {
    async fn work(&self) -> rpcnet::Result<()> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.notified().await;
        Ok(())
    }
}

impl Works {
    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

/// Calls, and gives the call up once it has begun, or had time to.
async fn give_up(client: &StubbornClient) -> Result<(), CallError<rpcnet::AppError>> {
    let given_up = tokio::time::timeout(Duration::from_millis(5), client.work()).await.unwrap_or(Ok(()));
    settle().await;
    given_up
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_counts_until_its_handler_has_stopped() {
    let (works, mut limits) = (Works::default(), Limits::default());
    limits.calls_max = 4;
    let world = World::with(|server| server.service(StubbornServer::new(works.clone())).limits(limits)).await;
    let client = StubbornClient::new(world.channel().await);
    for _ in 0..4 {
        give_up(&client).await.unwrap();
    }
    for _ in 0..20 {
        let error = give_up(&client).await.unwrap_err();
        assert_eq!((error.reason(), error.executed()), (Some(Reason::TooManyCalls), Executed::No), "{error}");
    }
    assert_eq!(works.begun(), 4, "as many as `calls_max` run, whoever waits for them");
    assert_eq!(world.bench().await.echo("fine".into()).await.unwrap(), "fine", "on another connection");
    works.gate.notify_waiters();
    settle().await;
    give_up(&client).await.unwrap();
    assert_eq!(works.begun(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_connection_counts_until_the_last_of_its_handlers_has_stopped() {
    let works = Works::default();
    let world =
        World::with(|server| server.service(StubbornServer::new(works.clone())).connections_max(1)).await;
    let client = StubbornClient::new(world.channel().await);
    give_up(&client).await.unwrap();
    drop(client);
    settle().await;
    let connect = || Channel::builder(world.addr).transport(world.client.clone()).connect();
    let refused = connect().await.unwrap_err();
    assert!(matches!(refused, rpcnet::ConnectError::Handshake { .. }), "{refused}");
    works.gate.notify_waiters();
    settle().await;
    connect().await.unwrap();
    assert_eq!(works.begun(), 1);
}
