use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(alias = "salute")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
    #[rpc(alias = "salute")]
    async fn leave(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
