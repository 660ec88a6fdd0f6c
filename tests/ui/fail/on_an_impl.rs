use rpcnet::prelude::*;

pub struct Greeter;

#[rpc_trait]
impl Greeter {
    pub async fn greet(&self, name: String) -> String {
        name
    }
}

fn main() {}
