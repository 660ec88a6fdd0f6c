use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(idempotent, keyed)]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
