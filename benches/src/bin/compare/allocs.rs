//! How often a call allocates, at either end: counted by the allocator, each end on a thread of its own.

use std::{net::SocketAddr, sync::mpsc, thread};

use allocation_counter::measure;
use bytes::Bytes;
use rpcnet::{Channel, Server};
use tokio::{runtime::Runtime, sync::oneshot};

use crate::{
    Failure,
    rpc::{EchoClient, EchoServer, Worker},
};

/// How many calls are counted: enough that what an end allocates once does not show.
const CALLS: usize = 100_000;

/// What either end allocates for the payload itself: what it is encoded into, and what it is decoded to.
const PAYLOAD: f64 = 2.0;

/// Allocations of a call beside the payload's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allocations {
    pub(crate) client: f64,
    pub(crate) server: f64,
}

/// Makes calls of 64 bytes, one after the other, and counts.
pub(crate) fn count() -> Result<Allocations, Failure> {
    let (addresses, address) = mpsc::channel();
    let (done, until) = oneshot::channel();
    let server = thread::spawn(move || serve(&addresses, until));
    let client = call(address.recv()?)?;
    drop(done);
    let server = server.join().map_err(|_| "the server panicked")??;
    let beside = |count: u64| count as f64 / CALLS as f64 - PAYLOAD;
    Ok(Allocations { client: beside(client), server: beside(server) })
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn serve(addresses: &mpsc::Sender<SocketAddr>, until: oneshot::Receiver<()>) -> Result<u64, Failure> {
    let runtime = runtime()?;
    let mut served = Ok(());
    let counted = measure(|| {
        served = runtime.block_on(async {
            let server = Server::builder().service(EchoServer::new(Worker)).bind("127.0.0.1:0").await?;
            addresses.send(server.local_addr())?;
            server.serve_with_shutdown(async { drop(until.await) }).await;
            Ok::<_, Failure>(())
        });
    });
    served?;
    Ok(counted.count_total)
}

fn call(to: SocketAddr) -> Result<u64, Failure> {
    let runtime = runtime()?;
    let client = EchoClient::new(runtime.block_on(Channel::connect(to))?);
    let (payload, mut called) = (Bytes::from(vec![7; 64]), Ok(()));
    let counted = measure(|| {
        called = runtime.block_on(async {
            for _ in 0..CALLS {
                client.echo(payload.clone()).await?;
            }
            Ok::<_, Failure>(())
        });
    });
    called?;
    Ok(counted.count_total)
}
