use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(timeout = 2)]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
