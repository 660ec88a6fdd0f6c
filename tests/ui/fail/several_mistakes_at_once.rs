//! Each mistake once, and none about the `impl` and the calls below, which would be right otherwise.

use rpcnet::prelude::*;

#[rpc_trait(nmae = "greeter.v2")]
pub trait Greeter {
    #[rpc(idempotnet)]
    async fn greet(&self, name: String) -> rpcnet::Result<String>;

    async fn shout(&mut self, name: &str) -> Result<String, String>;

    async fn new(&self) -> rpcnet::Result<()>;

    fn wait(&self, seconds: u8) -> Result<(), String>;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> rpcnet::Result<String> {
        Ok(name)
    }

    async fn shout(&mut self, name: &str) -> Result<String, String> {
        Ok(name.to_uppercase())
    }

    async fn new(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    fn wait(&self, _seconds: u8) -> Result<(), String> {
        Ok(())
    }
}

async fn calls(client: GreeterClient) -> Result<(), CallError<String>> {
    client.shout("you").await?;
    client.wait(1).await
}

fn main() {
    let _server = GreeterServer::new(Polite);
    let _calls = calls;
}
