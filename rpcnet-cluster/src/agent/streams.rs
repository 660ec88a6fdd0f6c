//! The protocol's streams, carried as untyped calls of `rpcnet`: one method, bytes in, bytes out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, CallError, CallOptions, Channel, Limits, Reason, Server, ServerBuilder};
use tokio::sync::{mpsc, oneshot};

use super::sealed::GatedTransport;
use crate::membership::{Malformed, STREAM_BYTES_MAX, StreamFailure};

/// The method under which agents talk to each other.
const METHOD: &str = "rpcnet.cluster";

/// Requests of others that wait for the driver; each is a connection's call, beyond it callers wait.
const REQUESTS_WAITING_MAX: usize = 256;

/// A request that arrived, and where its answer goes.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) bytes: Bytes,
    pub(super) answer: oneshot::Sender<Result<Vec<u8>, Malformed>>,
}

/// A server of the method, and the requests that it hands to the driver.
pub(super) fn service(transport: GatedTransport) -> (ServerBuilder, mpsc::Receiver<Request>) {
    let (requests, received) = mpsc::channel(REQUESTS_WAITING_MAX);
    let server = Server::builder().transport(transport).limits(limits()).register(METHOD, move |bytes| {
        let requests = requests.clone();
        async move { serve(requests, bytes).await }
    });
    (server, received)
}

async fn serve(requests: mpsc::Sender<Request>, bytes: Bytes) -> Result<Bytes, AppError> {
    let (answer, answered) = oneshot::channel();
    let gone = || AppError::msg("this node is leaving");
    requests.send(Request { bytes, answer }).await.map_err(|_| gone())?;
    let answer = answered.await.map_err(|_| gone())?;
    Ok(answer?.into())
}

/// Sends one request over a connection of its own, and waits for the answer.
///
/// Not over a pooled connection: whether the port still accepts is half of what a probe asks, and the lost connection of
/// a process that ended says less than the refusal of a new one.
pub(super) async fn request(
    transport: GatedTransport,
    to: SocketAddr,
    bytes: Vec<u8>,
    timeout: Duration,
) -> Result<Vec<u8>, StreamFailure> {
    let unreadable = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&unreadable);
    let transport = transport.also_reporting(move |why| *heard.lock() = Some(why));
    let exchange = async {
        let channel = Channel::builder(to).transport(transport).limits(limits()).connect_timeout(timeout);
        let channel = channel.connect().await.map_err(|error| match error {
            error if error.is_refused() => StreamFailure::Refused,
            rpcnet::ConnectError::TimedOut { .. } => StreamFailure::TimedOut,
            _ => StreamFailure::Unreachable,
        })?;
        let answer = channel.with(CallOptions::timeout(timeout)).call(METHOD, bytes).await;
        answer.map(|bytes| bytes.to_vec()).map_err(|error| failure(&error))
    };
    let result = tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(StreamFailure::TimedOut));
    let unreadable = unreadable.lock().take();
    result.map_err(|failure| unreadable.map_or(failure, StreamFailure::Unreadable))
}

fn failure(error: &CallError) -> StreamFailure {
    if error.reason() == Some(Reason::Deadline) {
        StreamFailure::TimedOut
    } else {
        StreamFailure::Unreachable
    }
}

/// A message of the membership protocol and the frame around it; nothing larger is for us.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes_max = STREAM_BYTES_MAX as u32 + 1_024;
    limits.calls_max = REQUESTS_WAITING_MAX as u32;
    limits.buffered_bytes_max = 4 * STREAM_BYTES_MAX;
    limits
}
