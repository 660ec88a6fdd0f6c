use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter<'a> {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
