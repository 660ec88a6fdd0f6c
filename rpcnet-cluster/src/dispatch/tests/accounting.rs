//! Every call is numbered, every execution is written down, and afterwards the books are compared with what the callers
//! were told.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, CallError, CallOptions, Executed, Server};

use super::world::{World, ip, ms};
use crate::{LoadBalancing, membership::ClusterEvent::NodeJoined, registry::testing::node};

/// How often each call was begun, and finished, by any worker.
type Books = Arc<Mutex<BTreeMap<u32, (u32, u32)>>>;

/// Starts a worker that writes down the number of each call before and after its work.
async fn start(world: &World, number: u8, books: &Books) {
    let books = Arc::clone(books);
    let book = move |bytes: Bytes| {
        let (books, call) =
            (Arc::clone(&books), u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")));
        async move {
            books.lock().entry(call).or_default().0 += 1;
            tokio::time::sleep(ms(u64::from(call % 40))).await;
            books.lock().entry(call).or_default().1 += 1;
            Ok::<_, AppError>(bytes)
        }
    };
    let server = Server::builder().transport(world.network.host(ip(number))).register("book", book);
    tokio::spawn(server.bind(SocketAddr::new(ip(number), 80)).await.expect("the port is free").serve());
}

/// Two thousand calls while workers are killed and restarted all the time.
async fn storm(idempotent: bool) -> (Vec<Result<Bytes, CallError>>, BTreeMap<u32, (u32, u32)>) {
    let (world, books) = (World::with([], LoadBalancing::LeastConnections).await, Books::default());
    for number in 1..=4 {
        start(&world, number, &books).await;
        world.cluster.tell(NodeJoined(node(number, 1)));
    }
    let client = world.client().with(CallOptions::timeout(ms(2_000)).idempotent(idempotent));
    let mut random = fastrand::Rng::with_seed(3);
    let mut calls = Vec::new();
    for call in 0..2_000_u32 {
        let client = client.clone();
        calls.push(tokio::spawn(async move { client.call("book", call.to_le_bytes().to_vec()).await }));
        tokio::time::sleep(ms(1)).await;
        if call % 50 == 49 {
            let victim = random.u8(1..=4);
            world.kill(victim);
            tokio::time::sleep(ms(random.u64(0..20))).await;
            start(&world, victim, &books).await;
            world.cluster.tell(NodeJoined(node(victim, u64::from(call))));
        }
    }
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.expect("no panic"));
    }
    assert_eq!(world.in_flight(), 0);
    let books = std::mem::take(&mut *books.lock());
    (results, books)
}

#[tokio::test(start_paused = true)]
async fn no_call_runs_twice_and_every_one_that_may_have_run_is_reported_as_such() {
    let (results, books) = storm(false).await;
    let mut unknown = 0;
    for (call, result) in (0..).zip(&results) {
        let (begun, finished) = books.get(&call).copied().unwrap_or_default();
        assert!(begun <= 1, "call {call} ran {begun} times");
        match result {
            Ok(_) => assert_eq!(finished, 1, "call {call} was answered"),
            Err(error) => match error.executed() {
                Executed::No => assert_eq!(begun, 0, "call {call}: {error}"),
                _ => unknown += 1,
            },
        }
    }
    assert!(unknown > 0, "the kills hit no call: the test shows nothing");
}

#[tokio::test(start_paused = true)]
async fn no_idempotent_call_fails() {
    let (results, books) = storm(true).await;
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failed.is_empty(), "{} failed, among them: {}", failed.len(), failed[0]);
    let repeated = books.values().filter(|(begun, _)| *begun > 1).count();
    assert!(repeated > 0, "the kills hit no call: the test shows nothing");
}
