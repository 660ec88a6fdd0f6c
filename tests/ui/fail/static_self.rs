use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&'static self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
