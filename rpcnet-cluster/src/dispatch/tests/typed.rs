//! Generated clients over a cluster.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rpcnet::{Reason, Server, prelude::*, rpc_trait};

use super::world::{World, ip, ms, settled};
use crate::{LoadBalancing, membership::ClusterEvent::NodeJoined, registry::testing::node};

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
pub(super) async fn ledgers() -> (World, LedgerClient<crate::ResilientClient>, Arc<AtomicU32>) {
    let (world, booked) = (World::with([], LoadBalancing::RoundRobin).await, Arc::default());
    for number in 1..=3 {
        start(&world, number, &booked).await;
        world.cluster.tell(NodeJoined(node(number, 1)));
    }
    settled().await;
    let client = LedgerClient::new(world.client().select("role=worker"));
    (world, client, booked)
}

pub(super) async fn start(world: &World, number: u8, booked: &Arc<AtomicU32>) {
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
async fn a_panic_is_tried_elsewhere_where_that_is_safe_and_ends_as_a_panic() {
    let (world, client, _) = ledgers().await;
    let error = client.fall().await.expect_err("it panics everywhere");
    assert_eq!(error.reason(), Some(Reason::Panicked));
    let tried = error.status().and_then(crate::FailedAttempts::of).expect("somebody was tried");
    assert_eq!(tried.count(), 3);
    assert_eq!(world.in_flight(), 0);
}
