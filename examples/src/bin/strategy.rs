//! A strategy of one's own: the cheapest worker that has room, by tags and capacity that the workers publish.
//!
//! Three workers on a network in memory and in virtual time, so that calls overlap as the program says.

use std::time::Duration;

use rpcnet::prelude::*;
use rpcnet_cluster::{Balancer, Candidate, Pick, ResilientClient, Strategy, testkit::TestCluster};

#[rpc_trait]
trait Render {
    /// Says who did it.
    #[rpc(idempotent)]
    async fn render(&self, frame: u32) -> rpcnet::Result<String>;
}

struct Machine(&'static str);

impl Render for Machine {
    async fn render(&self, _frame: u32) -> rpcnet::Result<String> {
        tokio::time::sleep(Duration::from_secs(1)).await; // stands for work
        Ok(self.0.to_owned())
    }
}

/// The cheapest worker with room; when none has room, the cheapest of all.
#[derive(Debug)]
struct Cheapest;

impl Strategy for Cheapest {
    fn pick(&mut self, candidates: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
        let price = |candidate: &Candidate<'_>| -> u32 {
            // Tags are what others say of themselves: whoever names no price is as dear as can be.
            candidate.tags().get("price").and_then(|price| price.parse().ok()).unwrap_or(u32::MAX)
        };
        // A worker whose calls fail is as good as full.
        let full =
            |candidate: &Candidate<'_>| candidate.in_flight() + candidate.failing() >= candidate.capacity();
        let rank = |place: &usize| (full(&candidates[*place]), price(&candidates[*place]));
        (0..candidates.len()).min_by_key(rank).unwrap_or(0)
    }
}

/// Calls that are all under way at once: who answered them.
async fn at_once(render: &RenderClient<ResilientClient>, calls: u32) -> rpcnet::Result<String> {
    let mut under_way = Vec::new();
    for frame in 0..calls {
        let render = render.clone();
        under_way.push(tokio::spawn(async move { render.render(frame).await }));
    }
    let mut names = Vec::new();
    for call in under_way {
        names.push(call.await??);
    }
    names.sort();
    Ok(names.join(" "))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> rpcnet::Result<()> {
    let cluster = TestCluster::new(1);
    // Outside of a test: `WorkerRegistry::new(&membership, Balancer::custom(|| Cheapest))`.
    let caller = cluster.node("caller").balancing(Balancer::custom(|| Cheapest)).start().await;
    let mut workers = Vec::new();
    for (name, price, capacity) in [("own", "0", 1), ("spot", "3", 2), ("rented", "9", 8)] {
        let node = cluster.node(name).tag("price", price).capacity(capacity);
        workers.push(node.serve(|server| server.service(RenderServer::new(Machine(name)))).start().await);
    }
    cluster.converged().await;
    // A worker that was just heard of gets less than its share of the calls for ten seconds.
    tokio::time::sleep(Duration::from_secs(10)).await;

    let render = RenderClient::new(ResilientClient::new(caller.registry()));
    for calls in [1, 3, 5] {
        println!("{calls} at once: {}", at_once(&render, calls).await?);
    }
    // Half a second in, the cheapest is killed with a call in flight, which goes to the next.
    let call = tokio::spawn({
        let render = render.clone();
        async move { render.render(0).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    workers[0].kill();
    println!("the cheapest is killed: {}", call.await??);
    Ok(())
}
