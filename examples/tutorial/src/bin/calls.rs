//! Calls whoever is there, and tells what happens: `calls [SEED]...`.

// ANCHOR: client
use std::{collections::BTreeMap, time::Duration};

use rpcnet_cluster::{ClusterEvent, ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
use sums::ComputeClient;
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let seeds = std::env::args().skip(1);
    let cluster = ClusterMembership::builder().seeds(seeds).label("caller").join().await?;
    let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
    let compute = ComputeClient::new(ResilientClient::new(registry.clone()).select("role=worker"));
    // ANCHOR_END: client

    // ANCHOR: callers
    // Eight callers, each making one call after the other.
    let (sender, mut results) = mpsc::channel(8);
    for n in 1..=8 {
        let (compute, sender) = (compute.clone(), sender.clone());
        tokio::spawn(async move { while sender.send(compute.square(n).await).await.is_ok() {} });
    }
    // ANCHOR_END: callers

    // ANCHOR: loop
    let mut events = registry.subscribe();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    let (mut answered, mut failed) = (BTreeMap::<String, u32>::new(), 0);
    loop {
        tokio::select! {
            Some(result) = results.recv() => match result {
                Ok(squared) => *answered.entry(squared.by).or_default() += 1,
                Err(error) => {
                    failed += 1;
                    println!("a call failed: {error}");
                }
            },
            Some(event) = events.recv() => tell(&event),
            _ = second.tick() => println!("answered {:?}, failed {failed}", std::mem::take(&mut answered)),
            _ = &mut stop => break,
        }
    }
    cluster.leave().await;
    Ok(())
}

/// Prints what happened to a node.
fn tell(event: &ClusterEvent) {
    match event {
        ClusterEvent::NodeJoined(node) => println!("{} joined", node.label),
        ClusterEvent::NodeSuspected { node, .. } => println!("{} is suspected", node.label),
        ClusterEvent::NodeFailed(node) => println!("{} failed", node.label),
        ClusterEvent::NodeRecovered(node) => println!("{} recovered", node.label),
        ClusterEvent::NodeLeft(node) => println!("{} left", node.label),
        _ => {}
    }
}
// ANCHOR_END: loop
