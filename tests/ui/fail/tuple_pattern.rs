use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, (first, last): (String, String)) -> rpcnet::Result<String>;
}

fn main() {}
