//! A light client: no member of the cluster, it follows the view of one node, and of another when that one goes.

use std::net::SocketAddr;

use rpcnet::prelude::*;
use rpcnet_cluster::{ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
use tokio::task::JoinHandle;

/// Who answers.
#[rpc_trait]
trait Town {
    #[rpc(read)]
    async fn name(&self) -> rpcnet::Result<String>;
}

struct Mayor(String);

impl Town for Mayor {
    async fn name(&self) -> rpcnet::Result<String> {
        Ok(self.0.clone())
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A node of the cluster. Each serves calls, and lets others follow what it sees.
struct Member {
    cluster: ClusterMembership,
    addr: SocketAddr,
    serving: JoinHandle<()>,
}

async fn start(name: &str, seeds: &[SocketAddr]) -> Outcome<Member> {
    let server = Server::builder().service(TownServer::new(Mayor(name.to_owned())));
    let mut server = server.bind("127.0.0.1:0").await?;
    let addr = server.local_addr();
    let cluster = ClusterMembership::builder().seeds(seeds).label(name).tag("role", "town").advertise(addr);
    let cluster = cluster.join().await?;
    // Whoever may call this server may follow; `server.allow("RegistryFeed/follow", …)` would say who that is.
    server.service(WorkerRegistry::service(&cluster))?;
    Ok(Member { cluster, addr, serving: tokio::spawn(server.serve()) })
}

fn towns(registry: &WorkerRegistry) -> String {
    let mut names: Vec<_> = registry.workers().iter().map(|worker| worker.label.to_string()).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Waits until the registry has exactly these.
async fn until(registry: &WorkerRegistry, wanted: &str) {
    let mut events = registry.subscribe();
    while towns(registry) != wanted {
        events.recv().await;
    }
}

/// Who answers so many calls; each call must be answered.
async fn answers(town: &TownClient<ResilientClient>, calls: u32) -> Outcome<String> {
    let mut names = Vec::new();
    for _ in 0..calls {
        names.push(town.name().await?);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names.join(", "))
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let north = start("north", &[]).await?;
    let south = start("south", &[north.cluster.local_addr()]).await?;

    // From here on nothing is a member. It begins with either of the two.
    let registry =
        WorkerRegistry::follow([north.addr, south.addr]).balancing(LoadBalancing::RoundRobin).start();
    registry.fresh().await;
    until(&registry, "north, south").await;
    println!("the towns: {}", towns(&registry));
    let town = TownClient::new(ResilientClient::new(registry.clone()).select("role=town"));
    println!("calls are answered by {}", answers(&town, 4).await?);

    let east = start("east", &[south.cluster.local_addr()]).await?;
    until(&registry, "east, north, south").await;
    println!("one more has joined: {}", towns(&registry));

    north.cluster.leave().await;
    north.serving.abort();
    until(&registry, "east, south").await;
    println!("a town is gone that could be followed: {}", towns(&registry));
    println!("calls are answered by {}", answers(&town, 200).await?);

    for member in [south, east] {
        member.cluster.leave().await;
    }
    Ok(())
}
