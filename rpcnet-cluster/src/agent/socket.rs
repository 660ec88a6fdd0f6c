//! One port number for both roads: UDP for datagrams, TCP (or whatever the transport is) for streams.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rpcnet::transport::memory::{MemoryHost, MemorySocket};
use rpcnet::transport::{BoxFuture, Tcp, Transport};

use super::udp::Udp;

/// A place in a network: it carries streams and gives out datagram sockets.
pub(super) trait Network: fmt::Debug + Send + Sync + 'static {
    /// What carries the calls to the cluster.
    fn transport(&self) -> Arc<dyn Transport>;

    /// What carries the agent's own streams, which may be sealed.
    fn streams(&self, sealed: bool) -> Arc<dyn Transport>;

    /// A datagram socket at exactly this address.
    fn datagrams(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Arc<dyn DatagramSocket>>>;

    /// Nobody outside can read or change what is sent from this address.
    fn is_private(&self, at: SocketAddr) -> bool;
}

/// Datagrams, sent and received.
pub(super) trait DatagramSocket: fmt::Debug + Send + Sync + 'static {
    /// Sends a datagram, or fails at once: a full buffer loses it, as the network may.
    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()>;

    /// The next datagram. The future is kept until it is ready: a socket may lose a datagram if it is dropped.
    fn receive(self: Arc<Self>) -> BoxFuture<'static, io::Result<(Vec<u8>, SocketAddr)>>;

    /// The next address whose host says that nobody listens there, to a datagram of this socket. Never ready where the
    /// system does not tell. May be dropped.
    fn unreachable(self: Arc<Self>) -> BoxFuture<'static, SocketAddr> {
        Box::pin(std::future::pending())
    }
}

/// The system's own network.
#[derive(Debug)]
pub(super) struct System {
    pub(super) plaintext_anywhere: bool,
}

impl Network for System {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(if self.plaintext_anywhere { Tcp::plaintext() } else { Tcp::loopback() })
    }

    fn streams(&self, sealed: bool) -> Arc<dyn Transport> {
        if sealed { Arc::new(Tcp::plaintext()) } else { self.transport() }
    }

    fn datagrams(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Arc<dyn DatagramSocket>>> {
        Box::pin(async move { Ok(Arc::new(Udp::bind(at).await?) as Arc<dyn DatagramSocket>) })
    }

    fn is_private(&self, at: SocketAddr) -> bool {
        at.ip().is_loopback()
    }
}

impl Network for MemoryHost {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }

    fn streams(&self, _: bool) -> Arc<dyn Transport> {
        self.transport()
    }

    fn datagrams(&self, at: SocketAddr) -> BoxFuture<'_, io::Result<Arc<dyn DatagramSocket>>> {
        Box::pin(async move { Ok(Arc::new(self.bind_datagrams(at.port())?) as Arc<dyn DatagramSocket>) })
    }

    fn is_private(&self, _: SocketAddr) -> bool {
        true
    }
}

impl DatagramSocket for MemorySocket {
    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.send_to(bytes, to)
    }

    fn receive(self: Arc<Self>) -> BoxFuture<'static, io::Result<(Vec<u8>, SocketAddr)>> {
        Box::pin(async move { self.recv_from().await })
    }
}
