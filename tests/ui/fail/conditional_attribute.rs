use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[cfg_attr(unix, rpc(idempotent))]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
