use rpcnet::prelude::*;

#[rpc_trait]
mod greeter {}

fn main() {}
