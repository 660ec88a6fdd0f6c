use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>
    where
        Self: Sized;
}

fn main() {}
