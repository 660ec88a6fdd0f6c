use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> Streaming<String>;
}

fn main() {}
