use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async unsafe fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
