use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(read, hedge)]
    async fn watch(&self, name: String) -> rpcnet::Result<Streaming<String>>;
}

fn main() {}
