//! How calls fail, and what their caller may conclude: its own error, an error of any kind, a panic, nobody there, a broken connection.

use rpcnet::prelude::*;
use serde::{Deserialize, Serialize};

/// A shop of one shelf.
#[rpc_trait]
trait Shop {
    /// Fails with an error of its own, of which callers see the variant.
    async fn order(&self, article: String, pieces: u32) -> Result<u32, OrderError>;

    /// Fails with whatever `?` meets; callers see a message.
    async fn parse(&self, pieces: String) -> rpcnet::Result<u32>;

    /// Has a bug.
    async fn count(&self) -> rpcnet::Result<u32>;

    /// Answers only when there is nobody left to be answered.
    async fn wait(&self) -> rpcnet::Result<()>;
}

/// It crosses the network as a value, not as a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
enum OrderError {
    #[error("there are only {left}")]
    SoldOut { left: u32 },
    #[error("never heard of `{0}`")]
    Unknown(String),
}

/// `waiting` tells the program that a call has come which will not be answered.
struct Shelf {
    waiting: tokio::sync::mpsc::UnboundedSender<()>,
}

impl Shop for Shelf {
    async fn order(&self, article: String, pieces: u32) -> Result<u32, OrderError> {
        match (article.as_str(), pieces) {
            ("bolt", 0..=3) => Ok(pieces),
            ("bolt", _) => Err(OrderError::SoldOut { left: 3 }),
            _ => Err(OrderError::Unknown(article)),
        }
    }

    async fn parse(&self, pieces: String) -> rpcnet::Result<u32> {
        Ok(pieces.parse()?)
    }

    async fn count(&self) -> rpcnet::Result<u32> {
        let shelf: [u32; 0] = [];
        Ok(shelf[shelf.len()])
    }

    async fn wait(&self) -> rpcnet::Result<()> {
        self.waiting.send(())?;
        std::future::pending().await
    }
}

/// The three kinds of failure, which are three answers to "may I do it again?".
fn conclude<T, E: std::fmt::Display>(result: Result<T, CallError<E>>) -> String {
    match result {
        Ok(_) => "answered".to_owned(),
        Err(CallError::App(error)) => format!("it ran, and answers: {error}"),
        Err(CallError::Status(status)) => match status.executed() {
            Executed::No => format!("it did not run ({}): may be done again", status.code()),
            _ => format!("it ran, and has no answer ({})", status.code()),
        },
        Err(CallError::OutcomeUnknown(status)) => {
            format!("it may have run ({}): done again only if that does no harm", status.code())
        }
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    // A panic is printed by the process it happens in, the server's; here that is this one.
    std::panic::set_hook(Box::new(|_| {}));
    let (waiting, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::builder().service(ShopServer::new(Shelf { waiting })).bind("127.0.0.1:0").await?;
    let addr = server.local_addr();
    let serving = tokio::spawn(server.serve());
    let shop = ShopClient::connect(addr).await?;

    match shop.order("bolt".into(), 5).await {
        Err(CallError::App(OrderError::SoldOut { left })) => {
            println!("five bolts: only {left}, so {} are ordered", shop.order("bolt".into(), left).await?);
        }
        other => println!("five bolts: {}", conclude(other)),
    }
    println!("a nut: {}", conclude(shop.order("nut".into(), 1).await));
    println!("`five`: {}", conclude(shop.parse("five".into()).await));
    println!("a bug: {}", conclude(shop.count().await));

    // The server dies under a call.
    let call = tokio::spawn({
        let shop = shop.clone();
        async move { shop.wait().await }
    });
    waits.recv().await;
    serving.abort();
    println!("a server that dies: {}", conclude(call.await?));
    println!("and afterwards: {}", conclude(shop.count().await));
    Ok(())
}
