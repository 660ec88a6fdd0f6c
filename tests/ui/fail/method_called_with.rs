use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn with(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
