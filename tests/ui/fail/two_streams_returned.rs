use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self) -> Result<(Streaming<String>, Streaming<String>), String>;
}

fn main() {}
