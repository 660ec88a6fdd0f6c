use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, names: Streaming<&str>) -> rpcnet::Result<String>;
}

fn main() {}
