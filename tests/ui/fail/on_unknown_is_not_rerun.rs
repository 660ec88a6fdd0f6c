use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(keyed, on_unknown = "retry")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;

    #[rpc(keyed, on_unknown)]
    async fn part(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
