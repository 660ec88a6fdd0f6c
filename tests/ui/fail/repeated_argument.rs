use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String, name: String) -> rpcnet::Result<String>;
}

fn main() {}
