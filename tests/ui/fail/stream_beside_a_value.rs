use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<(u8, Streaming<String>)>;
}

fn main() {}
