//! A host of the network: opens connections, listens for them.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
};

use tokio::sync::mpsc;

use super::{MemoryNetwork, datagram::MemorySocket, stream::MemoryStream};
use crate::transport::{Accepted, Address, BoxFuture, BoxStream, Listener, Transport};

/// How many connections wait to be accepted.
const BACKLOG_MAX: usize = 128;

/// One host of a [`MemoryNetwork`]: a [`Transport`], and a place for datagram sockets.
#[derive(Debug, Clone)]
pub struct MemoryHost {
    network: MemoryNetwork,
    ip: IpAddr,
    epoch: u64,
}

impl MemoryHost {
    pub(super) fn new(network: MemoryNetwork, ip: IpAddr, epoch: u64) -> Self {
        Self { network, ip, epoch }
    }

    /// The host's address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Opens a datagram socket. Port 0 lets the network choose.
    ///
    /// # Errors
    ///
    /// When the port is in use, or the process was killed.
    pub fn bind_datagrams(&self, port: u16) -> io::Result<MemorySocket> {
        let mut net = self.network.shared.net.lock();
        net.check_alive(self.ip, self.epoch)?;
        let port = if port == 0 { net.free_port(self.ip) } else { port };
        let local = SocketAddr::new(self.ip, port);
        if net.sockets.contains_key(&local) {
            return Err(in_use(local));
        }
        let (socket, sender) = MemorySocket::new(self.network.clone(), local, self.epoch);
        net.sockets.insert(local, sender);
        Ok(socket)
    }

    async fn open(&self, to: SocketAddr) -> io::Result<MemoryStream> {
        let shared = &self.network.shared;
        loop {
            let healed = shared.healed.notified();
            let (held, latency) = {
                let net = shared.net.lock();
                net.check_alive(self.ip, self.epoch)?;
                let faults = &net.faults;
                let held = faults.is_held(self.ip, to.ip()) || faults.is_held(to.ip(), self.ip);
                (held, faults.latency(self.ip, to.ip()))
            };
            if !held {
                tokio::time::sleep(2 * latency).await;
                break;
            }
            healed.await;
        }
        let mut net = shared.net.lock();
        net.check_alive(self.ip, self.epoch)?;
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, format!("nobody listens at {to}"));
        let listener = net.listeners.get(&to).cloned().ok_or_else(refused)?;
        let local = SocketAddr::new(self.ip, net.free_port(self.ip));
        let (there, back) = (net.pipe(self.ip, to.ip()), net.pipe(to.ip(), self.ip));
        drop(net);
        let (ours, theirs) = (MemoryStream::new(shared, back, there), MemoryStream::new(shared, there, back));
        listener.try_send((theirs, local)).map_err(|_| refused())?;
        Ok(ours)
    }
}

impl Transport for MemoryHost {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let to = to.socket_addr().ok_or_else(|| no_names(to))?;
            Ok(Box::new(self.open(to).await?) as BoxStream)
        })
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let asked = at.socket_addr().ok_or_else(|| no_names(at))?;
            let mut net = self.network.shared.net.lock();
            net.check_alive(self.ip, self.epoch)?;
            let port = if asked.port() == 0 { net.free_port(self.ip) } else { asked.port() };
            let local = SocketAddr::new(self.ip, port);
            if net.listeners.contains_key(&local) {
                return Err(in_use(local));
            }
            let (sender, incoming) = mpsc::channel(BACKLOG_MAX);
            net.listeners.insert(local, sender);
            let network = self.network.clone();
            Ok(Box::new(MemoryListener { network, local, incoming }) as Box<dyn Listener>)
        })
    }
}

fn no_names(address: &Address) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{address}: the network in memory knows no names"))
}

fn in_use(addr: SocketAddr) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, format!("{addr} is in use"))
}

#[derive(Debug)]
struct MemoryListener {
    network: MemoryNetwork,
    local: SocketAddr,
    incoming: mpsc::Receiver<(MemoryStream, SocketAddr)>,
}

impl Listener for MemoryListener {
    fn address(&self) -> Address {
        self.local.into()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self.incoming.poll_recv(cx) {
            Poll::Ready(Some((stream, peer))) => Poll::Ready(Ok(Accepted::new(Box::new(stream), peer))),
            // Killed: nobody comes any more, and nobody is there to be told.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        let mut net = self.network.shared.net.lock();
        // After a kill the channel is closed, and the port may be somebody else's.
        if !self.incoming.is_closed() {
            net.listeners.remove(&self.local);
        }
    }
}
