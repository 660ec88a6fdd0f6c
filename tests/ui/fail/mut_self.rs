use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&mut self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
