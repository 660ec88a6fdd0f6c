use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet<const N: usize>(&self, name: [u8; N]) -> rpcnet::Result<String>;
}

fn main() {}
