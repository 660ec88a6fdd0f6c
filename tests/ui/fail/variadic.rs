use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, names: ...) -> rpcnet::Result<String>;
}

fn main() {}
