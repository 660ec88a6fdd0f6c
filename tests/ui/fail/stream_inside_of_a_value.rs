use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, names: Option<Streaming<String>>) -> rpcnet::Result<String>;
}

fn main() {}
