use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(timeout = "2s")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
