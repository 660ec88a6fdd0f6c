//! Datagrams between the hosts of the network, which may lose them.

use std::{io, net::SocketAddr};

use tokio::{sync::mpsc, time::Instant};

use super::MemoryNetwork;

/// A datagram under way.
#[derive(Debug)]
pub(super) struct Datagram {
    due: Instant,
    from: SocketAddr,
    bytes: Vec<u8>,
}

/// How many datagrams wait at a socket before further ones are lost, like a socket's receive buffer.
const DATAGRAMS_MAX: usize = 1024;

/// A datagram socket of a [`MemoryHost`](super::MemoryHost).
#[derive(Debug)]
pub struct MemorySocket {
    network: MemoryNetwork,
    local: SocketAddr,
    epoch: u64,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Datagram>>,
}

impl MemorySocket {
    /// A socket, and where the network puts what is sent to it.
    pub(super) fn new(
        network: MemoryNetwork,
        local: SocketAddr,
        epoch: u64,
    ) -> (Self, mpsc::Sender<Datagram>) {
        let (sender, receiver) = mpsc::channel(DATAGRAMS_MAX);
        (Self { network, local, epoch, receiver: tokio::sync::Mutex::new(receiver) }, sender)
    }

    /// The socket's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, which may be lost without a sign.
    ///
    /// # Errors
    ///
    /// When the host was killed. Of what becomes of the datagram the network says nothing: like UDP without `IP_RECVERR`.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let mut net = self.network.shared.net.lock();
        let own = self.local.ip();
        let (loss, due) = (net.faults.loss, Instant::now() + net.faults.latency(own, to.ip()));
        net.check_alive(own, self.epoch)?;
        // A process that is stopped sends nothing.
        if !net.faults.is_cut(own, to.ip())
            && !net.faults.is_paused(own)
            && net.random.f64() >= loss
            && let Some(socket) = net.sockets.get(&to)
        {
            // A full socket loses what comes, as a real one does.
            let _ = socket.try_send(Datagram { due, from: self.local, bytes: bytes.to_vec() });
        }
        Ok(())
    }

    /// Waits for the next datagram and where it came from. Dropping the future may lose one.
    ///
    /// # Errors
    ///
    /// When the host was killed.
    pub async fn recv_from(&self) -> io::Result<(Vec<u8>, SocketAddr)> {
        let mut receiver = self.receiver.lock().await;
        let Datagram { due, from, bytes } =
            receiver.recv().await.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        tokio::time::sleep_until(due).await;
        self.resumed().await;
        Ok((bytes, from))
    }

    /// Waits while the process is stopped.
    async fn resumed(&self) {
        let shared = &self.network.shared;
        loop {
            let resumed = shared.healed.notified();
            if !shared.net.lock().faults.is_paused(self.local.ip()) {
                return;
            }
            resumed.await;
        }
    }
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        let mut net = self.network.shared.net.lock();
        if !self.receiver.get_mut().is_closed() {
            net.sockets.remove(&self.local);
        }
    }
}
