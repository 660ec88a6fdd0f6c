//! The service from which the book's chapter about coming from tarpc starts: `cargo run -p rpcnet-bench --features peers --bin before-tarpc`.

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

// ANCHOR: service
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tarpc::{
    client::{self, RpcError},
    context,
    serde_transport::tcp,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
};

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SoldOut {
    left: u32,
}

/// What is on a shelf.
#[tarpc::service]
pub(crate) trait Stock {
    async fn left() -> u32;
    async fn take(pieces: u32) -> Result<u32, SoldOut>;
}

#[derive(Clone, Default)]
struct Shelf {
    pieces: Arc<Mutex<u32>>,
}

impl Stock for Shelf {
    async fn left(self, _: context::Context) -> u32 {
        *self.pieces.lock().expect("nothing panics while it is locked")
    }

    async fn take(self, _: context::Context, pieces: u32) -> Result<u32, SoldOut> {
        let mut left = self.pieces.lock().expect("nothing panics while it is locked");
        *left = left.checked_sub(pieces).ok_or(SoldOut { left: *left })?;
        Ok(*left)
    }
}
// ANCHOR_END: service

// ANCHOR: server
async fn serve(shelf: Shelf) -> Result<SocketAddr, Box<dyn Error>> {
    let mut incoming = tcp::listen("127.0.0.1:0", Bincode::default).await?;
    let address = incoming.local_addr();
    tokio::spawn(async move {
        while let Some(Ok(transport)) = incoming.next().await {
            let requests = BaseChannel::with_defaults(transport).execute(shelf.clone().serve());
            tokio::spawn(requests.for_each(|request| async {
                tokio::spawn(request);
            }));
        }
    });
    Ok(address)
}
// ANCHOR_END: server

// ANCHOR: client
async fn order(stock: &StockClient, pieces: u32) -> Result<String, RpcError> {
    let mut context = context::current();
    context.deadline = Instant::now() + Duration::from_secs(2);
    match stock.take(context, pieces).await {
        Ok(Ok(left)) => Ok(format!("taken, {left} left")),
        Ok(Err(SoldOut { left })) => Ok(format!("only {left}")),
        // Was it taken? Whoever repeats it may take it twice.
        Err(error) => Err(error),
    }
}
// ANCHOR_END: client

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let shelf = Shelf::default();
    *shelf.pieces.lock().expect("nothing panics while it is locked") = 7;
    let address = serve(shelf).await?;
    // ANCHOR: connect
    let transport = tcp::connect(address, Bincode::default).await?;
    let stock = StockClient::new(client::Config::default(), transport).spawn();
    println!("{} left", stock.left(context::current()).await?);
    // ANCHOR_END: connect
    println!("{}", order(&stock, 5).await?);
    println!("{}", order(&stock, 5).await?);
    Ok(())
}
