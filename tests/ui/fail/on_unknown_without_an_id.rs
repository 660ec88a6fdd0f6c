use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(on_unknown = "rerun")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
