use rpcnet::prelude::*;

#[derive(serde::Serialize)]
pub struct Name(pub String);

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: Name) -> rpcnet::Result<String>;
}

fn main() {}
