use rpcnet::prelude::*;

#[rpc_trait]
pub trait Greeter {
    #[rpc(rename = "6fzabEQGi2c")]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;

    #[rpc(rename = "8UMgjCzj6um")]
    async fn shout(&self, name: String) -> rpcnet::Result<String>;
}

fn main() {}
