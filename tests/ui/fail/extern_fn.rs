use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async extern "C" fn greet(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
