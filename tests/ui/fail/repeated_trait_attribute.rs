use rpcnet::prelude::*;

#[rpc_trait(name = "a", name = "b")]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
