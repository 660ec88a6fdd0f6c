use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, names: &[String]) -> rpcnet::Result<String>;
}

fn main() {}
