use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(keyed)]
    async fn greet(&self, name: String) -> rpcnet::Result<Streaming<String>>;
}

fn main() {}
