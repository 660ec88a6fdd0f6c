use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, request_id: u64, name: String) -> rpcnet::Result<String>;
}

fn main() {}
