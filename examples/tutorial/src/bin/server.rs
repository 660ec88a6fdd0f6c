//! Serves `Compute` on one address.

// ANCHOR: server
use rpcnet::prelude::*;
use sums::{ComputeServer, worker::Worker};

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7001".into());
    let server = Server::builder().service(ComputeServer::new(Worker::new("ann"))).bind(address).await?;
    println!("serving on {}", server.local_addr());
    server.serve().await;
    Ok(())
}
// ANCHOR_END: server
