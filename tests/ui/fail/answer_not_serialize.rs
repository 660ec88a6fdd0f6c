use rpcnet::prelude::*;

pub struct Greeting;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> Result<Greeting, String>;
}

fn main() {}
