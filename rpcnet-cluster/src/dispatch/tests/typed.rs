//! Generated clients over a cluster.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rpcnet::{CallError, Reason, Server, prelude::*, rpc_trait};

use super::world::{World, ip, ms, settled};
use crate::{
    LoadBalancing,
    balance::rendezvous,
    membership::ClusterEvent::{NodeFailed, NodeJoined, NodeRecovered, NodeSuspected},
    registry::testing::node,
};

/// What the tests call.
#[rpc_trait]
pub(crate) trait Ledger {
    /// Which worker answers.
    #[rpc(idempotent)]
    async fn who(&self) -> rpcnet::Result<u8>;

    /// Books an amount once for each request id, and takes 100 ms.
    async fn book(&self, request_id: Uuid, cents: u64) -> rpcnet::Result<u8>;

    /// Never comes back.
    #[rpc(idempotent)]
    async fn fall(&self) -> rpcnet::Result<u8>;
}

struct Books {
    number: u8,
    booked: Arc<AtomicU32>,
}

impl Ledger for Books {
    async fn who(&self) -> rpcnet::Result<u8> {
        Ok(self.number)
    }

    async fn book(&self, _request_id: Uuid, _cents: u64) -> rpcnet::Result<u8> {
        self.booked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(ms(100)).await;
        Ok(self.number)
    }

    async fn fall(&self) -> rpcnet::Result<u8> {
        panic!("worker {} falls", self.number)
    }
}

/// A world of three ledgers, a client of them, and how often an amount was booked.
async fn ledgers() -> (World, LedgerClient<crate::ResilientClient>, Arc<AtomicU32>) {
    let (world, booked) = (World::with([], LoadBalancing::RoundRobin).await, Arc::default());
    for number in 1..=3 {
        start(&world, number, &booked).await;
        world.cluster.tell(NodeJoined(node(number, 1)));
    }
    settled().await;
    let client = LedgerClient::new(world.client().select("role=worker"));
    (world, client, booked)
}

async fn start(world: &World, number: u8, booked: &Arc<AtomicU32>) {
    let books = Books { number, booked: Arc::clone(booked) };
    let server =
        Server::builder().transport(world.network.host(ip(number))).service(LedgerServer::new(books));
    tokio::spawn(server.bind(SocketAddr::new(ip(number), 80)).await.expect("the port is free").serve());
}

#[tokio::test(start_paused = true)]
async fn a_generated_client_runs_over_the_cluster_as_over_one_connection() {
    let (world, client, _) = ledgers().await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(client.who().await.expect("answered"));
    }
    answers.sort_unstable();
    assert_eq!(answers, [1, 1, 2, 2, 3, 3]);
    world.kill(2);
    for _ in 0..6 {
        client.who().await.expect("two are left");
    }
}

#[tokio::test(start_paused = true)]
async fn keyed_calls_repeated_after_their_connection_broke_meet_the_worker_that_remembers_them() {
    let (world, client, booked) = ledgers().await;
    let workers = world.registry.workers();
    let candidates: Vec<_> =
        workers.iter().map(|worker| worker.candidate(std::time::Instant::now())).collect();
    let to_the_first = |id: &Uuid| rendezvous(*id, &candidates) == 0;
    let ids: Vec<_> = (0..).map(Uuid::from_u128).filter(to_the_first).take(10).collect();
    let book = |id: &Uuid| {
        let (client, id) = (client.clone(), *id);
        tokio::spawn(async move { client.book(id, 100).await })
    };
    let calls: Vec<_> = ids.iter().map(book).collect();
    settled().await;
    assert_eq!(workers[0].active_connections(), 10);
    workers[0].line().channel().disconnect();
    for call in calls {
        assert!(matches!(call.await.expect("no panic"), Err(CallError::OutcomeUnknown(_))));
    }
    let repeats: Vec<_> = ids.iter().map(book).collect();
    for repeat in repeats {
        assert_eq!(repeat.await.expect("no panic").expect("remembered"), 1);
    }
    assert_eq!(booked.load(Ordering::Relaxed), 10, "each ran once");
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_repeated_under_suspicion_meets_the_worker_that_remembers_it() {
    let (world, client, booked) = ledgers().await;
    for id in (0..10).map(Uuid::from_u128) {
        let first = client.book(id, 100).await.expect("booked");
        world.cluster.tell(NodeSuspected { node: node(first, 1), phi: 9.0 });
        settled().await;
        assert_eq!(client.book(id, 100).await.expect("remembered"), first);
        world.cluster.tell(NodeRecovered(node(first, 1)));
    }
    assert_eq!(booked.load(Ordering::Relaxed), 10);
}

#[tokio::test(start_paused = true)]
async fn row_16_a_repeated_request_id_meets_the_worker_that_remembers_it() {
    let (_world, client, booked) = ledgers().await;
    for id in (0..20).map(Uuid::from_u128) {
        let first = client.book(id, 100).await.expect("booked");
        assert_eq!(client.book(id, 100).await.expect("remembered"), first);
        let error = client.book(id, 200).await.expect_err("another amount under the same id");
        assert_eq!(error.reason(), Some(Reason::RequestIdReused));
    }
    assert_eq!(booked.load(Ordering::Relaxed), 20);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_whose_worker_is_restarted_under_it_is_reported_and_not_run_again() {
    let (world, _, booked) = ledgers().await;
    let cluster = world.client();
    let client = LedgerClient::new(cluster.clone().select("role=worker"));
    let id = Uuid::from_u128(5);
    let number = points_to(&world, id);
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.book(id, 100).await }
    });
    settled().await;
    world.kill(number);
    start(&world, number, &booked).await;
    world.cluster.tell(NodeJoined(node(number, 2)));
    let error = call.await.expect("no panic").expect_err("whether it was booked is not known");
    assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
    tokio::time::sleep(ms(1_000)).await;
    assert_eq!(
        booked.load(Ordering::Relaxed),
        1,
        "nobody else was asked to book it, nor the process in its place"
    );
    let repeat = client.book(id, 100).await.expect_err("whoever is asked now cannot know");
    assert_eq!(repeat.reason(), Some(Reason::DedupHorizonLost));
    let narrower = LedgerClient::new(cluster.clone().select("role=worker"));
    let repeat = narrower.book(id, 100).await.expect_err("it was made of the client that sent the first");
    assert_eq!(repeat.reason(), Some(Reason::DedupHorizonLost));
    world.kill(number);
    world.cluster.tell(NodeFailed(node(number, 2)));
    settled().await;
    let repeat =
        client.book(id, 100).await.expect_err("nor can another worker, however long it has been there");
    assert!(matches!(&repeat, CallError::OutcomeUnknown(_)), "{repeat}");
    assert_eq!(booked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_that_its_worker_did_not_take_runs_at_another_which_does_not_take_it_for_a_repeat() {
    let (world, client, booked) = ledgers().await;
    let id = Uuid::from_u128(5);
    let number = points_to(&world, id);
    world.kill(number);
    let other = client.book(id, 100).await.expect("nobody had it");
    assert_ne!(other, number);
    assert_eq!(booked.load(Ordering::Relaxed), 1);
}

/// The worker a request id points to.
fn points_to(world: &World, id: Uuid) -> u8 {
    let workers = world.registry.workers();
    let candidates: Vec<_> =
        workers.iter().map(|worker| worker.candidate(std::time::Instant::now())).collect();
    let chosen = &workers[crate::balance::rendezvous(id, &candidates)];
    chosen.label.trim_start_matches("worker-").parse().expect("labels end with a number")
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_tried_elsewhere_where_that_is_safe_and_ends_as_a_panic() {
    let (world, client, _) = ledgers().await;
    let error = client.fall().await.expect_err("it panics everywhere");
    assert_eq!(error.reason(), Some(Reason::Panicked));
    let tried = error.status().and_then(crate::FailedAttempts::of).expect("somebody was tried");
    assert_eq!(tried.count(), 3);
    assert_eq!(world.in_flight(), 0);
}
