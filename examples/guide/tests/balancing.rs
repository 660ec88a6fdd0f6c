//! The chapter on load balancing: its code, and that its numbers are those of the crate.

use rpcnet::prelude::*;
use rpcnet_cluster::{Balancer, Candidate, Pick, Strategy, prelude::*};

#[rpc_trait]
trait Greeter {
    #[rpc(read)]
    async fn greet(&self, user: String) -> rpcnet::Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, user: String) -> rpcnet::Result<String> {
        Ok(format!("hello {user}"))
    }
}

/// A node that serves calls, which is the only worker it knows.
async fn node() -> Result<ClusterMembership, Box<dyn std::error::Error>> {
    let server = Server::builder().service(GreeterServer::new(Polite)).bind("127.0.0.1:0").await?;
    let builder = ClusterMembership::builder().tag("role", "worker").tag("zone", "eu-1").capacity(64);
    let node = builder.advertise(server.local_addr()).join().await?;
    tokio::spawn(server.serve());
    Ok(node)
}

#[tokio::test]
async fn a_registry_balances_as_it_was_told() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = node().await?;
    // ANCHOR: registry
    let registry = WorkerRegistry::new(&cluster, LoadBalancing::PeakEwma);
    let compute = GreeterClient::new(ResilientClient::new(registry).select("role=worker,!draining"));

    // or, with more to say
    let balancer = Balancer::new(LoadBalancing::Weighted).zone("eu-1");
    let registry = WorkerRegistry::new(&cluster, balancer);
    // ANCHOR_END: registry
    assert_eq!(compute.greet("ada".to_owned()).await?, "hello ada");
    let worker = registry.select_worker(Some("zone in (eu-1, eu-2)"))?;
    assert_eq!((worker.capacity, worker.is_healthy()), (64, true));
    Ok(())
}

#[tokio::test]
async fn a_call_may_say_what_it_is_about() -> Result<(), Box<dyn std::error::Error>> {
    let registry = WorkerRegistry::new(&node().await?, LoadBalancing::Consistent);
    let greeter = GreeterClient::new(ResilientClient::new(registry));
    let user = "ada".to_owned();
    // ANCHOR: affinity
    let about = CallOptions::new().affinity(&user);
    let greeting = greeter.with(about).greet(user).await?;
    // ANCHOR_END: affinity
    assert_eq!(greeting, "hello ada");
    Ok(())
}

// ANCHOR: own
/// The worker with the most room, by its own word.
#[derive(Debug)]
struct Roomiest;

impl Strategy for Roomiest {
    fn pick(&mut self, candidates: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
        let room = |place: &usize| {
            let candidate = &candidates[*place];
            candidate.capacity().saturating_sub(candidate.in_flight() + candidate.failing())
        };
        (0..candidates.len()).max_by_key(room).unwrap_or(0)
    }
}

fn roomiest(cluster: &ClusterMembership) -> WorkerRegistry {
    WorkerRegistry::new(cluster, Balancer::custom(|| Roomiest))
}
// ANCHOR_END: own

#[tokio::test]
async fn a_strategy_of_ones_own_is_asked() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = node().await?;
    let worker = roomiest(&cluster).select_worker(None)?;
    assert_eq!(worker.id, cluster.local_node_id());
    Ok(())
}

#[test]
fn the_default_is_what_the_chapter_says() {
    let chapter = include_str!("../../../book/src/guide/load-balancing.md");
    assert_eq!(LoadBalancing::default(), LoadBalancing::PeakEwma);
    assert!(chapter.contains("| `PeakEwma`, the default |"));
}

#[test]
fn the_mistake_in_a_selector_is_told_as_the_chapter_shows_it() {
    let chapter = include_str!("../../../book/src/guide/load-balancing.md");
    let error = "role in worker".parse::<rpcnet_cluster::Selector>().unwrap_err();
    assert!(chapter.contains(&error.to_string()), "{error}");
}
