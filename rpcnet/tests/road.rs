//! One client, one server, over the network in memory and over TCP.

use std::time::Duration;

use rpcnet::{CallError, CallOptions, Channel, Executed, Reason, Server, transport::memory::MemoryNetwork};

#[tokio::test]
async fn bytes_in_bytes_out_over_tcp() {
    let server = Server::builder()
        .register("echo", |bytes| async move { Ok(bytes) })
        .register("fail", |_| async move { Err(std::io::Error::other("no such account").into()) })
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let addr = server.local_addr();
    let serving = tokio::spawn(server.serve());
    let channel = Channel::connect(addr).await.unwrap();
    assert_eq!(channel.call("echo", vec![1, 2, 3]).await.unwrap(), [1, 2, 3][..]);
    let big: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    assert_eq!(channel.call("echo", big.clone()).await.unwrap(), big);
    let CallError::App(error) = channel.call("fail", "").await.unwrap_err() else { panic!() };
    assert_eq!(error.message(), "no such account");
    let error = channel.call("ekko", "").await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UnknownMethod), Executed::No));
    println!("{error}");
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let network = MemoryNetwork::new(1);
    let (a, b) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
    let server = Server::builder()
        .register("hang", |_| std::future::pending())
        .transport(a)
        .bind("10.0.0.1:7000")
        .await
        .unwrap();
    let addr = server.local_addr();
    tokio::spawn(server.serve());
    let channel = Channel::builder(addr).transport(b).connect().await.unwrap();
    let begin = tokio::time::Instant::now();
    let error =
        channel.with(CallOptions::timeout(Duration::from_millis(50))).call("hang", "").await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::Unknown));
    println!("{error} after {:?}", begin.elapsed());
}
