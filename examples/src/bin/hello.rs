//! The smallest program: a service, a server of it, and a client that calls it.

use rpcnet::prelude::*;

/// What can be called.
#[rpc_trait]
trait Greeter {
    /// Greets somebody.
    async fn hello(&self, name: String) -> rpcnet::Result<String>;
}

struct Polite;

impl Greeter for Polite {
    async fn hello(&self, name: String) -> rpcnet::Result<String> {
        Ok(format!("Hello, {name}!"))
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let server = Server::builder().service(GreeterServer::new(Polite)).bind("127.0.0.1:0").await?;
    let addr = server.local_addr();
    tokio::spawn(server.serve());

    let greeter = GreeterClient::connect(addr).await?;
    println!("{}", greeter.hello("world".to_owned()).await?);
    Ok(())
}
