use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: std::borrow::Cow<'_, str>) -> rpcnet::Result<String>;
}

fn main() {}
