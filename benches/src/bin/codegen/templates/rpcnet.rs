//! The sample service over RpcNet.

mod types;

use std::error::Error;

use types::*;

#[rpcnet::rpc_trait]
pub trait Sample {
    // {declarations}
}

struct Worker;

impl Sample for Worker {
    // {methods}
}

async fn calls(client: SampleClient) -> usize {
    let mut answered = 0;
    // {calls}
    answered
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = rpcnet::Server::builder().service(SampleServer::new(Worker)).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let client = SampleClient::connect(address).await?;
    println!("answered={}", calls(client).await);
    Ok(())
}
