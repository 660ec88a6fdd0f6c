//! The chapters on discovery and health: joining by seeds, and the table of who is well.

use std::path::Path;

use rpcnet::{CallError, Server};
use rpcnet_cluster::{ClusterMembership, JoinError, LoadBalancing, ResilientClient, WorkerRegistry};

// ANCHOR: join
async fn start(state: &Path, seeds: &[String]) -> Result<ClusterMembership, JoinError> {
    ClusterMembership::builder()
        .bind("127.0.0.1:0") // in production a fixed port of this host's own address
        .seeds(seeds) // "10.0.0.5:7946", "seeds.example:7946"
        .state_file(state) // the same node after a restart
        .label("billing-3")
        .tag("role", "worker")
        .tag("zone", "eu-1")
        .join()
        .await
}
// ANCHOR_END: join

// ANCHOR: table
async fn print_table(cluster: &ClusterMembership) {
    for member in cluster.members().await {
        // Milliseconds until this node accuses it; none while all its answers are there.
        let deadline = member.deadline.map(|left| left.as_millis());
        println!("{} {:?} phi={:.1} deadline_ms={deadline:?}", member.node.label, member.state, member.phi);
    }
}
// ANCHOR_END: table

// ANCHOR: service
async fn member() -> Result<ClusterMembership, Box<dyn std::error::Error>> {
    let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) });
    let mut server = server.bind("127.0.0.1:0").await?;
    let cluster = ClusterMembership::builder().advertise(server.local_addr()).join().await?;
    server.service(WorkerRegistry::service(&cluster))?; // whoever calls here may follow this node's view
    tokio::spawn(server.serve());
    Ok(cluster)
}
// ANCHOR_END: service

// ANCHOR: follow
async fn call_from_outside(nodes: &[String]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let registry = WorkerRegistry::follow(nodes).start(); // .transport(tls), as a client's
    registry.fresh().await; // a node has answered
    let answer = ResilientClient::new(registry.clone()).call("echo", vec![1, 2, 3]).await?;
    if let Some(age) = registry.stale_for() {
        println!("nobody has kept the picture up for {age:?}");
    }
    Ok(answer.to_vec())
}
// ANCHOR_END: follow

// ANCHOR: listed
async fn call_one_of(workers: &[String]) -> Result<Vec<u8>, CallError> {
    let registry = WorkerRegistry::listed(workers) // "workers.example:7001", "10.0.0.6:7001"
        .tag("role", "worker") // what nobody else says of them
        .start(); // .transport(tls), as a client's
    Ok(ResilientClient::new(registry).call("echo", vec![1, 2, 3]).await?.to_vec())
}
// ANCHOR_END: listed

#[tokio::test]
async fn who_has_no_cluster_lists_the_workers() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) });
    let server = server.bind("127.0.0.1:0").await?;
    let workers = [server.local_addr().to_string()];
    tokio::spawn(server.serve());
    assert_eq!(call_one_of(&workers).await?, [1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn who_is_no_member_calls_the_workers_by_following_one() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = member().await?;
    let workers = WorkerRegistry::new(&cluster, LoadBalancing::default()).workers();
    let nodes = [workers[0].addr.to_string()];
    assert_eq!(call_from_outside(&nodes).await?, [1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn a_node_that_comes_back_by_its_state_file_is_the_same_node() -> Result<(), Box<dyn std::error::Error>>
{
    let state = std::env::temp_dir().join(format!("rpcnet-guide-state-{}", std::process::id()));
    let seed = ClusterMembership::builder().join().await?;
    let seeds = [seed.local_addr().to_string()];
    let node = start(&state, &seeds).await?;
    node.joined().await;
    print_table(&node).await;
    let id = node.local_node_id();
    node.leave().await;
    let again = start(&state, &seeds).await?;
    std::fs::remove_file(&state)?;
    assert_eq!(again.local_node_id(), id);
    again.joined().await;
    assert_eq!(again.visible_nodes().await.len(), 2);
    Ok(())
}
