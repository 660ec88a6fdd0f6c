use rpcnet::prelude::*;

#[rpc_trait]
pub enum Greeter {
    Polite,
}

fn main() {}
