//! What is found out when a server is built.

use rpcnet::{BindError, prelude::*};

#[rpc_trait]
trait Greeter {
    async fn greet(&self, name: String) -> rpcnet::Result<String>;
}

struct English;

impl Greeter for English {
    async fn greet(&self, name: String) -> rpcnet::Result<String> {
        Ok(format!("hello, {name}"))
    }
}

// ANCHOR: twice
#[tokio::test]
async fn a_service_is_served_once() {
    let server = Server::builder()
        .service(GreeterServer::new(English))
        .service(GreeterServer::new(English))
        .bind("127.0.0.1:0")
        .await;
    let Err(error @ BindError::Duplicate { .. }) = server else { panic!("it is refused") };
    assert_eq!(
        error.to_string(),
        "Greeter/greet cannot be served beside Greeter/greet: it is registered twice; \
         register it once, or give one service another name (`#[rpc_trait(name = \"…\")]`)"
    );
}
// ANCHOR_END: twice

// ANCHOR: apart
mod french {
    use rpcnet::prelude::*;

    #[rpc_trait(name = "greeter.fr")]
    pub(crate) trait Greeter {
        async fn greet(&self, name: String) -> rpcnet::Result<String>;
    }
}
// ANCHOR_END: apart

impl french::Greeter for English {
    async fn greet(&self, name: String) -> rpcnet::Result<String> {
        Ok(format!("bonjour, {name}"))
    }
}

#[tokio::test]
async fn two_services_of_different_names_are_served_together() -> rpcnet::Result<()> {
    let server =
        Server::builder().service(GreeterServer::new(English)).service(french::GreeterServer::new(English));
    let server = server.bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());
    assert_eq!(GreeterClient::connect(address).await?.greet("Ann".into()).await?, "hello, Ann");
    assert_eq!(french::GreeterClient::connect(address).await?.greet("Ann".into()).await?, "bonjour, Ann");
    Ok(())
}

// ANCHOR: taken
#[tokio::test]
async fn a_port_is_taken_once() -> rpcnet::Result<()> {
    let first = Server::builder().service(GreeterServer::new(English)).bind("127.0.0.1:0").await?;
    let second = Server::builder().service(GreeterServer::new(English)).bind(first.local_addr()).await;
    let Err(error @ BindError::Listen { .. }) = second else { panic!("it is refused") };
    assert!(error.to_string().ends_with("use port 0 to let the system choose a free one"), "{error}");
    Ok(())
}
// ANCHOR_END: taken
