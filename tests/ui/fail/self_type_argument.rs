use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, other: Option<Self>) -> rpcnet::Result<String>;
}

fn main() {}
