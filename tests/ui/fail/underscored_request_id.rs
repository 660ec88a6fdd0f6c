use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, _request_id: Uuid, name: String) -> rpcnet::Result<String>;
}

fn main() {}
