use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, mut name: String) -> rpcnet::Result<String>;
}

fn main() {}
