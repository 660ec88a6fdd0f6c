use rpcnet::prelude::*;

#[rpc_trait]
#[rpc(idempotent)]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
