use rpcnet::prelude::*;

#[rpc_trait]
pub unsafe trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
