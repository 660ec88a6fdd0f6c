use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    fn greet(&self, name: String) -> impl Future + Send;
}

fn main() {}
