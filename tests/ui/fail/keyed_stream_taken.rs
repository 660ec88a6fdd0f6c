use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, request_id: Uuid, names: Streaming<String>) -> rpcnet::Result<String>;
}

fn main() {}
