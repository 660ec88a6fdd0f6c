use rpcnet::prelude::*;

#[rpc_trait(nmae = "greeter.v2")]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
