use rpcnet::prelude::*;

macro_rules! methods {
    () => {};
}

#[rpc_trait]
pub trait Greeter {
    methods!();

    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
