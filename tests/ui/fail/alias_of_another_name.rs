use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(alias = "leave")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
    async fn leave(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
