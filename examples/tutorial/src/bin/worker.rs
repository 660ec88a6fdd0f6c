//! A worker of a cluster: `worker NAME GOSSIP_ADDRESS [SEED]...`.

// ANCHOR: worker
use rpcnet::prelude::*;
use rpcnet_cluster::ClusterMembership;
use sums::{ComputeServer, worker::Worker};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).init();
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or("ann".into());
    let gossip = args.next().unwrap_or("127.0.0.1:0".into());
    let seeds = args;

    let worker = Worker::new(&name);
    let server = Server::builder().service(ComputeServer::new(worker)).bind("127.0.0.1:0").await?;

    let cluster = ClusterMembership::builder()
        .bind(gossip)
        .seeds(seeds)
        .label(&name)
        .tag("role", "worker")
        .advertise(server.local_addr())
        .join()
        .await?;
    let (serves, gossips, pid) = (server.local_addr(), cluster.local_addr(), std::process::id());
    println!("{name}, process {pid}, serves on {serves} and gossips on {gossips}");

    let shutdown = async {
        tokio::signal::ctrl_c().await.expect("this process can be told of Ctrl-C");
        cluster.leave().await;
    };
    server.serve_with_shutdown(shutdown).await;
    Ok(())
}
// ANCHOR_END: worker
