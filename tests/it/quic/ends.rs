//! How connections end: in order, and so that the other end hears of it.

use std::sync::Arc;

use rpcnet::Reason;
use tokio::sync::Notify;

use super::*;
use crate::world::{BenchClient, BenchServer, Probe};

#[tokio::test]
async fn a_server_that_shuts_down_lets_calls_finish_and_refuses_new_connections() {
    let (realm, probe, stop) = (Realm::new(), Probe::default(), Arc::new(Notify::new()));
    let serving = realm.server();
    let server = Server::builder().service(BenchServer::new(probe.clone())).transport(serving.clone());
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    let stopped = Arc::clone(&stop);
    let server = tokio::spawn(async move { server.serve_with_shutdown(stopped.notified()).await });
    let calling = realm.client("spiffe://prod/x");
    let channel = Channel::builder(addr).transport(calling.clone()).connect().await.unwrap();
    let bench = BenchClient::new(channel);
    let (call, began) = (bench.clone(), probe.clone());
    let call = tokio::spawn(async move { call.wait().await });
    while began.began() == 0 {
        tokio::task::yield_now().await;
    }
    stop.notify_one();
    // The server goes on with the call, and with nothing else.
    loop {
        match Channel::builder(addr).transport(calling.clone()).connect().await {
            // It came before the server began to stop, or while it did.
            Ok(_) | Err(ConnectError::Handshake { .. }) => {}
            Err(error) => {
                assert!(error.is_refused(), "{error}");
                break;
            }
        }
    }
    assert_eq!((probe.began(), probe.ended()), (1, 0));
    probe.gate.notify_one();
    call.await.unwrap().expect("it was let finish");
    server.await.unwrap();
    drop(bench);
    // Both ends have said that they end: nobody waits for an idle timeout.
    calling.wait_idle().await;
    serving.wait_idle().await;
}

#[tokio::test]
async fn a_server_that_is_gone_fails_its_calls_at_once_and_is_found_again() {
    let (realm, probe) = (Realm::new(), Probe::default());
    let server = |probe: &Probe| Server::builder().service(BenchServer::new(probe.clone()));
    let first = server(&probe).transport(realm.server()).bind("127.0.0.1:0").await.unwrap();
    let addr = first.local_addr();
    let first = tokio::spawn(first.serve());
    let channel = Channel::builder(addr).transport(realm.client("spiffe://prod/x")).connect().await.unwrap();
    let bench = BenchClient::new(channel);
    let (call, began) = (bench.clone(), probe.clone());
    let call = tokio::spawn(async move { call.wait().await });
    while began.began() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    let error = call.await.unwrap().expect_err("nobody is there to answer");
    assert_eq!(error.reason(), Some(Reason::ConnectionLost), "{error}");
    let again = loop {
        // Free once the connection has ended at both ends.
        match server(&probe).transport(realm.server()).bind(addr).await {
            Ok(server) => break server,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    tokio::spawn(again.serve());
    assert_eq!(bench.echo("hello".to_owned()).await.unwrap(), "hello");
}

/// A transport is often kept in a static, and tests have a runtime each.
#[test]
fn a_transport_outlives_the_runtime_it_was_first_used_in() {
    let realm = Realm::new();
    let calling = realm.client("spiffe://prod/x");
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (addr, _serving) = serve(realm.server()).await;
            let door = open(addr, calling.clone()).await.unwrap();
            assert_eq!(door.knock().await.unwrap(), "spiffe://prod/x");
        });
    }
}

/// A name may have an address at which nobody listens, and nobody says so.
#[tokio::test]
async fn a_name_is_tried_at_all_of_its_addresses() {
    let realm = Realm::new();
    let (addr, _serving) = serve(quic(realm.end("localhost"))).await;
    let address = format!("localhost:{}", addr.port());
    let channel =
        Channel::builder(address).transport(realm.client("spiffe://prod/x")).connect().await.unwrap();
    assert_eq!(DoorClient::new(channel).knock().await.unwrap(), "spiffe://prod/x");
}
