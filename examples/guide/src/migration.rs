//! The service to which the chapters about coming from tarpc and from tonic lead.

// ANCHOR: service
use std::time::Duration;

use rpcnet::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("there are only {left}")]
struct SoldOut {
    left: u32,
}

/// What is on a shelf.
#[rpc_trait]
trait Stock {
    /// Changes nothing: may be sent again.
    #[rpc(read)]
    async fn left(&self) -> rpcnet::Result<u32>;

    /// Once for each request, however often it is asked for.
    async fn take(&self, request_id: Uuid, pieces: u32) -> Result<u32, SoldOut>;

    /// What is left, each time it changes.
    #[rpc(read)]
    async fn watch(&self) -> rpcnet::Result<Streaming<u32>>;
}

struct Shelf {
    pieces: watch::Sender<u32>,
}

impl Stock for Shelf {
    async fn left(&self) -> rpcnet::Result<u32> {
        Ok(*self.pieces.borrow())
    }

    async fn take(&self, _request_id: Uuid, pieces: u32) -> Result<u32, SoldOut> {
        let mut taken = Err(SoldOut { left: 0 });
        self.pieces.send_if_modified(|left| {
            taken = left.checked_sub(pieces).ok_or(SoldOut { left: *left });
            taken.as_ref().is_ok_and(|rest| std::mem::replace(left, *rest) != *rest)
        });
        taken
    }

    async fn watch(&self) -> rpcnet::Result<Streaming<u32>> {
        let mut pieces = self.pieces.subscribe();
        let (sender, stream) = Streaming::channel(16);
        tokio::spawn(async move {
            loop {
                let left = *pieces.borrow_and_update();
                if sender.send(left).await.is_err() {
                    return; // nobody reads any more
                }
                if pieces.changed().await.is_err() {
                    return sender.finish(); // complete: without this, the reader is told that the stream was cut
                }
            }
        });
        Ok(stream)
    }
}
// ANCHOR_END: service

// ANCHOR: server
async fn serve(shelf: Shelf) -> rpcnet::Result<rpcnet::Address> {
    let server = Server::builder().service(StockServer::new(shelf)).bind("127.0.0.1:0").await?;
    let address = server.local_addr().into();
    tokio::spawn(server.serve());
    Ok(address)
}
// ANCHOR_END: server

// ANCHOR: client
async fn order(stock: &StockClient, pieces: u32) -> Result<String, CallError<SoldOut>> {
    let hurried = stock.with(CallOptions::timeout(Duration::from_secs(2)));
    let id = Uuid::new_v4();
    let mut taken = hurried.take(id, pieces).await;
    if let Err(CallError::OutcomeUnknown(_)) = taken {
        // It may have been taken. The same id is answered from the server's memory, or is the first.
        taken = hurried.take(id, pieces).await;
    }
    match taken {
        Ok(left) => Ok(format!("taken, {left} left")),
        Err(CallError::App(SoldOut { left })) => Ok(format!("only {left}")),
        Err(error) => Err(error),
    }
}
// ANCHOR_END: client

#[tokio::test]
async fn what_came_from_elsewhere_does_what_it_did_there() -> rpcnet::Result<()> {
    let address = serve(Shelf { pieces: watch::Sender::new(7) }).await?;
    // ANCHOR: connect
    let stock = StockClient::connect(address).await?;
    println!("{} left", stock.left().await?);
    // ANCHOR_END: connect
    let mut changes = stock.watch().await?;
    assert_eq!(changes.next().await.transpose()?, Some(7));
    assert_eq!(order(&stock, 5).await?, "taken, 2 left");
    assert_eq!(order(&stock, 5).await?, "only 2");
    assert_eq!(changes.next().await.transpose()?, Some(2));
    assert_eq!(stock.left().await?, 2);
    Ok(())
}
