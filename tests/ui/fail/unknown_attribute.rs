use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(retries = 3)]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
