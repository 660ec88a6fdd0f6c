use rpcnet::prelude::*;

/// Names.
pub type Names = Streaming<String>;

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, names: Names) -> rpcnet::Result<String>;
}

fn main() {}
