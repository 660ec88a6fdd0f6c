use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
    #[rpc(rename = "greet")]
    async fn greet_again(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
