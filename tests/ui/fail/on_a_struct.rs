use rpcnet::prelude::*;

#[rpc_trait]
pub struct Greeter {
    pub name: String,
}

fn main() {}
