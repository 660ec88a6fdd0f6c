use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(read)]
    async fn greet(&self, request_id: Uuid, name: String) -> rpcnet::Result<String>;
}

fn main() {}
