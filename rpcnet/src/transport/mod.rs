//! ④ Bytes between processes: connections that are opened and accepted, whatever carries them.

mod accepted;
pub(crate) mod address;
#[cfg(test)]
mod conformance;
mod identity;
pub mod memory;
mod peer;
pub(crate) mod pump;
#[cfg(feature = "quic")]
pub mod quic;
mod resolve;
pub(crate) mod system;
pub(crate) mod tcp;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(unix)]
pub(crate) mod unix;

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};

pub use accepted::Accepted;
pub use address::Address;
pub use identity::{Identity, IdentityPattern, InvalidIdentityPattern};
pub use peer::Peer;
pub use tcp::Tcp;
#[cfg(unix)]
pub use unix::Unix;

/// A way for bytes to travel: opens connections and listens for them.
///
/// A connection is an ordered, reliable stream of bytes in both directions; everything else is the protocol's.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Opens a connection. May take as long as it likes: the caller sets the limit.
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>>;

    /// Listens for connections. Port 0 lets the system choose.
    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;
}

/// Accepts connections.
pub trait Listener: fmt::Debug + Send {
    /// Where it listens, with the port the system chose.
    fn address(&self) -> Address;

    /// The next connection and who opened it. An error is that of one connection: the listener goes on.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>>;
}

/// A connection's bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Any connection.
pub type BoxStream = Box<dyn ByteStream>;

/// A future behind a pointer, so that a transport can be chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
