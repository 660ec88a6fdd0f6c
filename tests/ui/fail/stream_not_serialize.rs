use rpcnet::prelude::*;

/// A name.
pub struct Name(pub String);

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, times: u8) -> rpcnet::Result<Streaming<Name>>;
}

fn main() {}
