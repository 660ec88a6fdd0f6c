use rpcnet::prelude::*;

pub struct Greeting;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<Greeting>;
}

fn main() {}
