use rpcnet::prelude::*;

#[rpc_trait]
pub async fn greet(name: String) -> String {
    name
}

fn main() {}
