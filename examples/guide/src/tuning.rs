//! Settings changed for a reason, and what tells which of them to change.

use std::{sync::Arc, time::Duration};

use rpcnet::{Reason, ServerBuilder, prelude::*};
use rpcnet_cluster::{Resilience, prelude::*, testkit::TestCluster};

// ANCHOR: marks
#[rpc_trait]
trait Quotes {
    /// Read by people who wait: asked of a second worker when it takes long, and given up soon.
    #[rpc(read, hedge, timeout = "300ms")]
    async fn quote(&self, symbol: String) -> rpcnet::Result<u64>;

    /// Takes a second or so, and may run twice: each of two attempts has three seconds.
    #[rpc(idempotent, timeout = "6s")]
    async fn recount(&self, symbol: String) -> rpcnet::Result<u64>;
}
// ANCHOR_END: marks

struct Market;

impl Quotes for Market {
    async fn quote(&self, symbol: String) -> rpcnet::Result<u64> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(symbol.len() as u64)
    }

    async fn recount(&self, symbol: String) -> rpcnet::Result<u64> {
        self.quote(symbol).await
    }
}

// ANCHOR: server
/// How many calls run at once without slowing each other down: measured, not guessed.
const AT_ONCE: usize = 8;
/// What one of them takes, and how long a caller may wait for its turn.
const TAKES: Duration = Duration::from_millis(20);
const WAITS: Duration = Duration::from_millis(60);

fn sized(server: ServerBuilder) -> ServerBuilder {
    let turns = WAITS.as_millis() / TAKES.as_millis();
    server.running_max(AT_ONCE).queued_max(AT_ONCE * turns as usize)
}
// ANCHOR_END: server

// ANCHOR: client
fn impatient(registry: WorkerRegistry) -> ResilientClient {
    let quick = Resilience::default().backoff(Duration::from_millis(10), Duration::from_millis(100));
    ResilientClient::new(registry)
        .select("role=market")
        .resilience(quick)
        .wait_for_ready(Duration::from_millis(200))
        .with(CallOptions::new().max_load(0.9))
}
// ANCHOR_END: client

// ANCHOR: look
/// Tells of the calls that took long, and of what they spent their time on.
fn watched(client: ResilientClient, long: Duration) -> ResilientClient {
    client.reporting(move |report| {
        if report.took >= long {
            let hedged = if report.hedged() { ", hedged" } else { "" };
            println!("{} attempts, {:?} without any{hedged}: {report}", report.attempts.len(), report.waited);
        }
    })
}
// ANCHOR_END: look

/// More calls at once than run and wait: those beyond are refused at once, the others wait no longer than was said.
#[tokio::test(start_paused = true)]
async fn a_queue_that_is_sized_by_patience_is_waited_in_no_longer() -> Result<(), Box<dyn std::error::Error>>
{
    let cluster = TestCluster::new(7);
    let director = cluster.node("director").start().await;
    let market = cluster.node("market").tag("role", "market");
    market.serve(|server| sized(server.service(QuotesServer::new(Market)))).start().await;
    cluster.converged().await;
    let worker = director.registry().select_worker(Some("role=market"))?;
    let quotes = Arc::new(QuotesClient::new(worker));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let quotes = Arc::clone(&quotes);
            tokio::spawn(async move {
                let begun = tokio::time::Instant::now();
                (quotes.quote("XAU".into()).await, begun.elapsed())
            })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        let (answer, took) = call.await?;
        match answer {
            Ok(_) => assert!(took <= WAITS + TAKES + Duration::from_millis(20), "{took:?}"),
            Err(error) => {
                assert_eq!(error.reason(), Some(Reason::Overloaded));
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 50 - AT_ONCE - 24, "8 run and 24 wait");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_client_of_the_chapter_answers() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestCluster::new(7);
    let director = cluster.node("director").start().await;
    let market = cluster.node("market").tag("role", "market").capacity(AT_ONCE as u32);
    market.serve(|server| sized(server.service(QuotesServer::new(Market)))).start().await;
    cluster.converged().await;
    let client = watched(impatient(director.registry()), Duration::from_millis(10));
    let quotes = QuotesClient::new(client);
    assert_eq!(quotes.quote("XAU".into()).await?, 3);
    assert_eq!(quotes.recount("XAU".into()).await?, 3);
    Ok(())
}
