//! Workers without a cluster: the client has a list of them, and finds out by its calls who is there.

use std::net::SocketAddr;

use rpcnet::prelude::*;
use rpcnet_cluster::{LoadBalancing, ResilientClient, WorkerRegistry};
use tokio::task::JoinHandle;

/// Who answers.
#[rpc_trait]
trait Clerk {
    #[rpc(read)]
    async fn name(&self) -> rpcnet::Result<String>;
}

struct Desk(String);

impl Clerk for Desk {
    async fn name(&self) -> rpcnet::Result<String> {
        Ok(self.0.clone())
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A server that knows of no other.
async fn start(name: &str) -> Outcome<(SocketAddr, JoinHandle<()>)> {
    let server =
        Server::builder().service(ClerkServer::new(Desk(name.to_owned()))).bind("127.0.0.1:0").await?;
    Ok((server.local_addr(), tokio::spawn(server.serve())))
}

/// Who answers so many calls; each call must be answered.
async fn answers(clerk: &ClerkClient<ResilientClient>, calls: u32) -> Outcome<String> {
    let mut names = Vec::new();
    for _ in 0..calls {
        names.push(clerk.name().await?);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names.join(", "))
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let (one, first) = start("one").await?;
    let (two, _second) = start("two").await?;

    // Names are as good as addresses: "clerks.example:7001" is all that it resolves to, again and again.
    let registry = WorkerRegistry::listed([one.to_string(), two.to_string()])
        .tag("role", "clerk")
        .capacity(100)
        .balancing(LoadBalancing::RoundRobin)
        .start();
    let clerk = ClerkClient::new(ResilientClient::new(registry.clone()).select("role=clerk"));
    println!("on the list: {} workers", registry.worker_count());
    println!("calls are answered by {}", answers(&clerk, 4).await?);

    // As a crash would: nobody tells, the next call to it finds out and goes to the other.
    first.abort();
    let _ = first.await;
    println!("one is gone: 100 calls are answered by {}", answers(&clerk, 100).await?);
    println!("still on the list: {} workers", registry.worker_count());
    Ok(())
}
