//! The one stream of a connection, as bytes in both directions.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use quinn::{Connection, Endpoint, ReadError, RecvStream, SendStream, VarInt, WriteError};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Handle,
    sync::Semaphore,
};

use super::error::explain;
use crate::transport::Address;

/// The first byte of the stream, from the client: a server hears of a stream only by what is written to it, and a client of this
/// crate's protocol is not the only thing that may come to speak first. The number of how streams are used.
pub(super) const PREAMBLE: u8 = 1;

/// How long the last bytes of a stream that was dropped may take to arrive. A peer that reads takes a round trip.
const PARTING: Duration = Duration::from_secs(10);

/// How many streams may be in that state at once, for each [`Quic`](super::Quic): each may hold a window of bytes for a peer that
/// does not read. The connections of more than these end without their last bytes.
pub(super) const PARTING_MAX: usize = 1024;

/// A connection that is used for its one stream, and ends with it.
pub(super) struct OneStream {
    /// None only while it is dropped.
    parts: Option<Parts>,
    /// Who is at the other end, for errors.
    peer: Address,
    parting: Arc<Semaphore>,
    runtime: Handle,
}

/// The socket of a connection: as long as one holds it, it stays.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) socket: Endpoint,
    /// One for each who holds it, so that they can be counted.
    pub(super) holds: Arc<()>,
}

/// What the last bytes need to arrive.
struct Parts {
    send: SendStream,
    recv: RecvStream,
    connection: Connection,
    _socket: Held,
}

impl OneStream {
    pub(super) fn new(
        (send, recv): (SendStream, RecvStream),
        connection: Connection,
        socket: Held,
        peer: Address,
        parting: &Arc<Semaphore>,
    ) -> Self {
        let parts = Parts { send, recv, connection, _socket: socket };
        Self { parts: Some(parts), peer, parting: Arc::clone(parting), runtime: Handle::current() }
    }

    fn parts(&mut self) -> &mut Parts {
        self.parts.as_mut().expect("it is taken only when the stream is dropped")
    }
}

impl AsyncRead for OneStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.parts().recv.poll_read_buf(cx, buffer));
        Poll::Ready(read.map_err(|error| match error {
            ReadError::ConnectionLost(error) => explain(error, &self.peer),
            error => io::Error::new(io::ErrorKind::ConnectionReset, error),
        }))
    }
}

impl AsyncWrite for OneStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.parts().send).poll_write(cx, bytes));
        Poll::Ready(written.map_err(|error| match error {
            WriteError::ConnectionLost(error) => explain(error, &self.peer),
            WriteError::Stopped(_) => {
                io::Error::new(io::ErrorKind::ConnectionReset, "the peer reads no more")
            }
            error => io::Error::new(io::ErrorKind::BrokenPipe, error),
        }))
    }

    /// What is written is sent without being asked for.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // It fails when it was said before, or when nobody is there any more.
        let _ = self.parts().send.finish();
        Poll::Ready(Ok(()))
    }
}

impl Drop for OneStream {
    /// The connection ends once the peer has everything: to close it at once would throw away what is under way.
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        if let Ok(permit) = Arc::clone(&self.parting).try_acquire_owned() {
            self.runtime.spawn(async move {
                part(parts).await;
                drop(permit);
            });
        } else {
            tracing::warn!(max = PARTING_MAX, peer = %self.peer, "a connection ends without its last bytes");
            parts.connection.close(ENDED, b"");
        }
    }
}

/// The code of a connection that ends because nobody uses it.
pub(super) const ENDED: VarInt = VarInt::from_u32(0);

/// The code of a connection that was refused after its handshake, with the reason in words.
pub(super) const REFUSED: VarInt = VarInt::from_u32(1);

async fn part(parts: Parts) {
    let Parts { mut send, recv, connection, _socket } = parts;
    let _ = send.finish();
    // Tells the peer that nobody reads.
    drop(recv);
    // Until everything was acknowledged, or the peer is gone, or reads no more.
    let _ = tokio::time::timeout(PARTING, send.stopped()).await;
    connection.close(ENDED, b"");
}
