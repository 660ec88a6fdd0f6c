use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: impl Into<String>) -> rpcnet::Result<String>;
}

fn main() {}
