use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: &str) -> rpcnet::Result<String>;
}

fn main() {}
