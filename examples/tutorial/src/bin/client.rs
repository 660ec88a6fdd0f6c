//! Calls the server once.

// ANCHOR: client
use sums::ComputeClient;

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7001".into());
    let compute = ComputeClient::connect(address).await?;
    let squared = compute.square(3).await?;
    println!("{} by {}", squared.value, squared.by);
    Ok(())
}
// ANCHOR_END: client
