use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet<T: ToString>(&self, name: T) -> rpcnet::Result<String>;
}

fn main() {}
