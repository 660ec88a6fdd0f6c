use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, request_id: Uuid, request_id: Uuid) -> rpcnet::Result<String>;
}

fn main() {}
