//! Hedging: a call that takes long at one worker is sent to a second one too, and the first answer counts.
//!
//! Three workers on a network in memory and in virtual time: the figures are the same on every machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpcnet::prelude::*;
use rpcnet_cluster::{ResilientClient, testkit::TestCluster};
use tokio::time::{Instant, sleep};

#[rpc_trait]
trait Search {
    /// Changes nothing, so that two workers may do it at once. Other methods are never hedged.
    #[rpc(read)]
    async fn find(&self, word: String) -> rpcnet::Result<String>;
}

/// A worker that stalls on every eighth call, and how many of those it answered all the same.
#[derive(Default)]
struct Engine {
    stalls: bool,
    calls: AtomicU32,
    late: Arc<AtomicU32>,
}

impl Search for Engine {
    async fn find(&self, word: String) -> rpcnet::Result<String> {
        sleep(Duration::from_millis(10)).await;
        if self.stalls && self.calls.fetch_add(1, Ordering::Relaxed) % 8 == 7 {
            sleep(Duration::from_secs(1)).await; // a call that is cancelled ends here
            self.late.fetch_add(1, Ordering::Relaxed);
        }
        Ok(format!("{word}: found"))
    }
}

/// Searches, one after the other: how long the slowest took, in milliseconds.
async fn slowest(search: &SearchClient<ResilientClient>) -> rpcnet::Result<u128> {
    let mut slowest = Duration::ZERO;
    for _ in 0..CALLS {
        let begun = Instant::now();
        search.find("needle".to_owned()).await?;
        slowest = slowest.max(begun.elapsed());
    }
    Ok(slowest.as_millis())
}

const CALLS: u32 = 240;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> rpcnet::Result<()> {
    let cluster = TestCluster::new(1);
    let caller = cluster.node("caller").start().await;
    let late = Arc::new(AtomicU32::new(0));
    let mut workers = Vec::new();
    for name in ["ann", "bob", "cyd"] {
        let engine = Engine { stalls: name == "cyd", late: Arc::clone(&late), ..Engine::default() };
        let node = cluster.node(name).tag("role", "search");
        workers.push(node.serve(|server| server.service(SearchServer::new(engine))).start().await);
    }
    cluster.converged().await;
    // A worker that was just heard of gets less than its share of the calls for ten seconds.
    sleep(Duration::from_secs(10)).await;

    // Workers take turns here. (`PeakEwma`, the default of a registry, would avoid the one that stalls.)
    let hedges = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&hedges);
    let client = ResilientClient::new(caller.registry()).select("role=search").reporting(move |call| {
        count.fetch_add(
            call.attempts.iter().filter(|attempt| attempt.hedge).count() as u32,
            Ordering::Relaxed,
        );
    });
    let search = SearchClient::new(client);
    let took = slowest(&search).await?;
    println!("without hedging: {CALLS} calls, the slowest answered in {took} ms");
    println!("  answered late: {}", late.swap(0, Ordering::Relaxed));

    let hedged = search.with(CallOptions::new().hedge_after(Duration::from_millis(50)));
    let took = slowest(&hedged).await?;
    println!("hedged after 50 ms: {CALLS} calls, the slowest answered in {took} ms");
    println!("  sent to a second worker: {}", hedges.load(Ordering::Relaxed));
    sleep(Duration::from_secs(2)).await;
    println!("  answered late, to nobody: {}", late.load(Ordering::Relaxed));
    Ok(())
}
