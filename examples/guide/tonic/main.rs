//! The service from which the book's chapter about coming from tonic starts.

use std::{error::Error, net::SocketAddr, time::Duration};

// ANCHOR: service
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};

mod pb {
    tonic::include_proto!("stock");
}

use pb::{
    Count, LeftRequest, TakeRequest, WatchRequest,
    stock_client::StockClient,
    stock_server::{Stock, StockServer},
};

struct Shelf {
    pieces: watch::Sender<u32>,
}

#[tonic::async_trait]
impl Stock for Shelf {
    async fn left(&self, _: Request<LeftRequest>) -> Result<Response<Count>, Status> {
        Ok(Response::new(Count { pieces: *self.pieces.borrow() }))
    }

    async fn take(&self, request: Request<TakeRequest>) -> Result<Response<Count>, Status> {
        let pieces = request.into_inner().pieces;
        let mut taken = Err(Status::failed_precondition("there are none"));
        self.pieces.send_if_modified(|left| {
            taken = left
                .checked_sub(pieces)
                .ok_or_else(|| Status::failed_precondition(format!("there are only {left}")));
            taken.as_ref().is_ok_and(|rest| std::mem::replace(left, *rest) != *rest)
        });
        Ok(Response::new(Count { pieces: taken? }))
    }

    type WatchStream = ReceiverStream<Result<Count, Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let mut pieces = self.pieces.subscribe();
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let count = Count { pieces: *pieces.borrow_and_update() };
                if sender.send(Ok(count)).await.is_err() || pieces.changed().await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}
// ANCHOR_END: service

// ANCHOR: server
async fn serve(shelf: Shelf) -> Result<SocketAddr, Box<dyn Error>> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let address = incoming.local_addr()?;
    tokio::spawn(Server::builder().add_service(StockServer::new(shelf)).serve_with_incoming(incoming));
    Ok(address)
}
// ANCHOR_END: server

// ANCHOR: client
async fn order(stock: &mut StockClient<tonic::transport::Channel>, pieces: u32) -> Result<String, Status> {
    let mut request = Request::new(TakeRequest { pieces });
    request.set_timeout(Duration::from_secs(2));
    match stock.take(request).await {
        Ok(left) => Ok(format!("taken, {} left", left.into_inner().pieces)),
        // How many there are is in the text, or in details that both ends encode by hand.
        Err(status) if status.code() == Code::FailedPrecondition => Ok(status.message().to_owned()),
        // Was it taken? `DeadlineExceeded`, `Unavailable` and `Cancelled` do not say.
        Err(status) => Err(status),
    }
}
// ANCHOR_END: client

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = serve(Shelf { pieces: watch::Sender::new(7) }).await?;
    // ANCHOR: connect
    let mut stock = StockClient::connect(format!("http://{address}")).await?;
    println!("{} left", stock.left(LeftRequest {}).await?.into_inner().pieces);
    // ANCHOR_END: connect
    let mut changes = stock.watch(WatchRequest {}).await?.into_inner();
    assert_eq!(changes.message().await?, Some(Count { pieces: 7 }));
    println!("{}", order(&mut stock, 5).await?);
    println!("{}", order(&mut stock, 5).await?);
    assert_eq!(changes.message().await?, Some(Count { pieces: 2 }));
    Ok(())
}
