use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, _: String) -> rpcnet::Result<String>;
}

fn main() {}
