use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, #[cfg(unix)] name: String) -> rpcnet::Result<String>;
}

fn main() {}
