use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(rename)]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
