use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn local(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
