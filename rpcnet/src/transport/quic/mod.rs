//! QUIC: TLS 1.3 over UDP, one connection and one stream of it for all calls.

mod acceptor;
mod builder;
mod dialer;
mod error;
mod settings;
mod stream;
#[cfg(all(test, feature = "development"))]
mod tests;
mod verify;

use std::{io, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use quinn::Endpoint;
use tokio::sync::{Semaphore, watch};

pub use self::builder::QuicBuilder;
use self::settings::Settings;
use super::{Address, BoxFuture, BoxStream, Listener, Transport, resolve, tls::Tls};

/// QUIC, with the certificates, the rules and the reload of [`Tls`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{Channel, Server, transport::{quic::Quic, tls::Tls}};
///
/// # #[cfg(feature = "development")] {
/// # let authority = rpcnet::transport::tls::development::Authority::new()?;
/// # let own = authority.issue(["127.0.0.1"])?;
/// # let (certificate, key, roots) = (own.chain, own.key, authority.roots());
/// let tls = Tls::mutual(certificate, key, roots)?;
/// let server = Server::builder()
///     .register("echo", |bytes| async move { Ok(bytes) })
///     .transport(Quic::new(tls.clone()))
///     .bind("127.0.0.1:0")
///     .await?;
/// let address = server.local_addr();
/// tokio::spawn(server.serve());
///
/// let channel = Channel::builder(address).transport(Quic::new(tls)).connect().await?;
/// assert_eq!(channel.call("echo", "hello").await?, "hello");
/// # }
/// # Ok(()) }
/// ```
///
/// # When
///
/// Where TCP does not get through, or where clients change their address while they are connected. Otherwise take TLS over TCP:
/// what the system does for it, the process does for QUIC.
///
/// # What is different from TLS over TCP
///
/// - Nobody says that nobody listens. Connecting to where there is no server takes until
///   [`connect_timeout`](crate::ChannelBuilder::connect_timeout) or
///   [`TlsBuilder::handshake_timeout`](super::tls::TlsBuilder::handshake_timeout). A server that is shutting down does refuse.
/// - The connections of a client share its UDP socket: their peer address is the same. So are those of a server: its port is
///   free again only when the connections it had have ended.
/// - Bytes that were written, and the word that a connection ends, are sent by tasks of the runtime, not by the system. A process
///   that exits right after its last call should await [`Quic::wait_idle`]; otherwise its peers wait for
///   [`QuicBuilder::idle_timeout`].
/// - [`TlsBuilder::over`](super::tls::TlsBuilder::over) is not looked at.
///
/// All calls of a connection share one stream of QUIC, as they share one connection of TCP: with many callers, a stream for each
/// call was measured to cost more than twice the processor time. No early data (0-RTT) is sent or accepted, and no session resumed.
#[derive(Debug, Clone)]
pub struct Quic {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tls: Tls,
    settings: Settings,
    /// The sockets of its clients.
    sockets: Mutex<Sockets>,
    /// How many listeners, with the connections they had, have not ended.
    listening: watch::Sender<usize>,
    /// Streams whose user is gone and whose last bytes are under way.
    parting: Arc<Semaphore>,
}

/// One for each kind of IP address that was connected to.
#[derive(Debug, Default)]
struct Sockets {
    v4: Option<Endpoint>,
    v6: Option<Endpoint>,
}

impl Quic {
    /// QUIC with these certificates and the default settings.
    pub fn new(tls: Tls) -> Self {
        Self::builder(tls).build()
    }

    /// Settings, one by one.
    pub fn builder(tls: Tls) -> QuicBuilder {
        QuicBuilder::new(tls)
    }

    fn with(tls: Tls, settings: Settings) -> Self {
        let inner = Inner {
            tls,
            settings,
            sockets: Mutex::default(),
            listening: watch::Sender::new(0),
            parting: Arc::new(Semaphore::new(stream::PARTING_MAX)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits until every connection has ended and its peer was told, of clients and of servers with this value: what to await
    /// before the process exits. As long as a channel is open or a server serves, it does not end.
    pub async fn wait_idle(&self) {
        let sockets = {
            let sockets = self.inner.sockets.lock();
            [sockets.v4.clone(), sockets.v6.clone()]
        };
        for socket in sockets.into_iter().flatten() {
            socket.wait_idle().await;
        }
        let mut listening = self.inner.listening.subscribe();
        // It fails when the sender is gone, which is held here.
        let _ = listening.wait_for(|count| *count == 0).await;
    }
}

impl Transport for Quic {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(dialer::connect(&self.inner, to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let addr: SocketAddr = resolve::to_listen(at, "QUIC").await?;
            Ok(Box::new(acceptor::Accepting::new(addr, &self.inner)?) as Box<dyn Listener>)
        })
    }
}
