use rpcnet::prelude::*;

#[rpc_trait(crate = "rpcnet")]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
