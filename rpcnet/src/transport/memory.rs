//! A network in memory: hosts, streams and datagrams, and the ways a network fails.
//!
//! It runs on tokio's clock. Under a paused clock (`tokio::time::pause`) a test that waits takes no time, and the same
//! seed loses the same datagrams.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{Notify, mpsc},
    time::{Instant, Sleep, sleep_until},
};

use super::{Address, BoxFuture, BoxStream, Listener, Transport};

/// A network of hosts in one process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use rpcnet::transport::memory::MemoryNetwork;
///
/// let network = MemoryNetwork::new(7);
/// let (a, b) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
/// network.cut(a.ip(), b.ip());    // what either sends to the other waits, and datagrams are lost
/// network.heal();
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryNetwork {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    net: Mutex<Net>,
    /// Told whenever a cut ends.
    healed: Notify,
}

#[derive(Debug)]
struct Net {
    random: fastrand::Rng,
    latency: Duration,
    loss: f64,
    /// Ordered pairs of hosts: what the first sends does not reach the second.
    cuts: BTreeSet<(IpAddr, IpAddr)>,
    listeners: BTreeMap<SocketAddr, mpsc::Sender<(MemoryStream, SocketAddr)>>,
    sockets: BTreeMap<SocketAddr, mpsc::Sender<Datagram>>,
    pipes: BTreeMap<u64, Pipe>,
    last_pipe: u64,
    last_port: u16,
}

/// One direction of a stream.
#[derive(Debug)]
struct Pipe {
    from: IpAddr,
    to: IpAddr,
    queue: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// The writer is gone; what it wrote can still be read.
    Closed,
    /// The connection was reset.
    Reset,
}

#[derive(Debug)]
struct Datagram {
    due: Instant,
    from: SocketAddr,
    bytes: Vec<u8>,
}

/// How much a stream holds before its writer waits, like a socket's send buffer.
const PIPE_BYTES_MAX: usize = 256 << 10;

/// How many datagrams wait at a socket before further ones are lost, like a socket's receive buffer.
const DATAGRAMS_MAX: usize = 1024;

/// How many connections wait to be accepted.
const BACKLOG_MAX: usize = 128;

/// The first port the network gives out, as most systems do.
const PORT_FIRST: u16 = 49152;

impl MemoryNetwork {
    /// A network in which a packet takes half a millisecond and none is lost.
    pub fn new(seed: u64) -> Self {
        let net = Net {
            random: fastrand::Rng::with_seed(seed),
            latency: Duration::from_micros(500),
            loss: 0.0,
            cuts: BTreeSet::new(),
            listeners: BTreeMap::new(),
            sockets: BTreeMap::new(),
            pipes: BTreeMap::new(),
            last_pipe: 0,
            last_port: PORT_FIRST - 1,
        };
        Self { shared: Arc::new(Shared { net: Mutex::new(net), healed: Notify::new() }) }
    }

    /// The host with an address. It exists as soon as somebody asks for it.
    pub fn host(&self, ip: impl Into<IpAddr>) -> MemoryHost {
        MemoryHost { network: self.clone(), ip: ip.into() }
    }

    /// Sets how long a packet takes. Those under way are not affected.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.net.lock().latency = latency;
    }

    /// Sets the share of datagrams that are lost, 0 to 1. Streams lose nothing.
    pub fn set_loss(&self, loss: f64) {
        self.shared.net.lock().loss = loss;
    }

    /// Cuts the link between two hosts, in both directions: datagrams are lost without a sign, streams stall, and new
    /// connections neither succeed nor fail.
    pub fn cut(&self, a: IpAddr, b: IpAddr) {
        self.shared.net.lock().cuts.extend([(a, b), (b, a)]);
    }

    /// Cuts every link between the hosts of one side and those of the other.
    pub fn partition(&self, one: &[IpAddr], other: &[IpAddr]) {
        one.iter().for_each(|a| other.iter().for_each(|b| self.cut(*a, *b)));
    }

    /// Ends every cut. What was written to streams meanwhile arrives.
    pub fn heal(&self) {
        let mut net = self.shared.net.lock();
        net.cuts.clear();
        net.pipes.values_mut().for_each(|pipe| wake(&mut pipe.reader));
        drop(net);
        self.shared.healed.notify_waiters();
    }

    /// Ends the processes of a host as SIGKILL does: its connections are reset, its ports closed. The host itself is up
    /// and refuses whoever knocks.
    pub fn kill(&self, ip: IpAddr) {
        let mut net = self.shared.net.lock();
        net.listeners.retain(|addr, _| addr.ip() != ip);
        net.sockets.retain(|addr, _| addr.ip() != ip);
        for pipe in net.pipes.values_mut().filter(|pipe| pipe.from == ip || pipe.to == ip) {
            pipe.finish(End::Reset);
        }
    }
}

impl Net {
    fn is_cut(&self, from: IpAddr, to: IpAddr) -> bool {
        from != to && self.cuts.contains(&(from, to))
    }

    fn free_port(&mut self, ip: IpAddr) -> u16 {
        loop {
            self.last_port = self.last_port.checked_add(1).unwrap_or(PORT_FIRST);
            let addr = SocketAddr::new(ip, self.last_port);
            if !self.listeners.contains_key(&addr) && !self.sockets.contains_key(&addr) {
                return self.last_port;
            }
        }
    }

    fn pipe(&mut self, from: IpAddr, to: IpAddr) -> u64 {
        self.last_pipe += 1;
        let (queue, bytes, end) = (VecDeque::new(), 0, None);
        self.pipes.insert(self.last_pipe, Pipe { from, to, queue, bytes, end, reader: None, writer: None });
        self.last_pipe
    }
}

impl Pipe {
    fn finish(&mut self, end: End) {
        if self.end.is_none() || matches!(end, End::Reset) {
            self.end = Some(end);
        }
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One host of a [`MemoryNetwork`]: a [`Transport`], and a place for datagram sockets.
#[derive(Debug, Clone)]
pub struct MemoryHost {
    network: MemoryNetwork,
    ip: IpAddr,
}

impl MemoryHost {
    /// The host's address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Opens a datagram socket. Port 0 lets the network choose.
    ///
    /// # Errors
    ///
    /// When the port is in use.
    pub fn bind_datagrams(&self, port: u16) -> io::Result<MemorySocket> {
        let mut net = self.network.shared.net.lock();
        let port = if port == 0 { net.free_port(self.ip) } else { port };
        let local = SocketAddr::new(self.ip, port);
        let (sender, receiver) = mpsc::channel(DATAGRAMS_MAX);
        if net.sockets.contains_key(&local) {
            return Err(in_use(local));
        }
        net.sockets.insert(local, sender);
        drop(net);
        Ok(MemorySocket { network: self.network.clone(), local, receiver: tokio::sync::Mutex::new(receiver) })
    }

    async fn open(&self, to: SocketAddr) -> io::Result<MemoryStream> {
        let shared = &self.network.shared;
        loop {
            let healed = shared.healed.notified();
            let (cut, latency) = {
                let net = shared.net.lock();
                (net.is_cut(self.ip, to.ip()) || net.is_cut(to.ip(), self.ip), net.latency)
            };
            if !cut {
                tokio::time::sleep(2 * latency).await;
                break;
            }
            healed.await;
        }
        let mut net = shared.net.lock();
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, format!("nobody listens at {to}"));
        let listener = net.listeners.get(&to).cloned().ok_or_else(refused)?;
        let local = SocketAddr::new(self.ip, net.free_port(self.ip));
        let (there, back) = (net.pipe(self.ip, to.ip()), net.pipe(to.ip(), self.ip));
        drop(net);
        let stream = |read, write| MemoryStream { shared: Arc::clone(shared), read, write, timer: None };
        listener.try_send((stream(there, back), local)).map_err(|_| refused())?;
        Ok(stream(back, there))
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
    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(BoxStream, SocketAddr)>> {
        match self.incoming.poll_recv(cx) {
            Poll::Ready(Some((stream, peer))) => Poll::Ready(Ok((Box::new(stream), peer))),
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

/// A datagram socket of a [`MemoryHost`].
#[derive(Debug)]
pub struct MemorySocket {
    network: MemoryNetwork,
    local: SocketAddr,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Datagram>>,
}

impl MemorySocket {
    /// The socket's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends a datagram, which may be lost without a sign.
    ///
    /// # Errors
    ///
    /// None that the network could know of: like UDP without `IP_RECVERR`.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let mut net = self.network.shared.net.lock();
        let (loss, due) = (net.loss, Instant::now() + net.latency);
        let alive = net.sockets.contains_key(&self.local);
        if alive
            && !net.is_cut(self.local.ip(), to.ip())
            && net.random.f64() >= loss
            && let Some(socket) = net.sockets.get(&to)
        {
            // A full socket loses what comes, as a real one does.
            let _ = socket.try_send(Datagram { due, from: self.local, bytes: bytes.to_vec() });
        }
        Ok(())
    }

    /// Waits for the next datagram and where it came from.
    ///
    /// # Errors
    ///
    /// When the host was killed.
    pub async fn recv_from(&self) -> io::Result<(Vec<u8>, SocketAddr)> {
        let mut receiver = self.receiver.lock().await;
        let Datagram { due, from, bytes } =
            receiver.recv().await.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        tokio::time::sleep_until(due).await;
        Ok((bytes, from))
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

/// One end of a stream.
#[derive(Debug)]
struct MemoryStream {
    shared: Arc<Shared>,
    read: u64,
    write: u64,
    /// Armed for the moment when the next bytes arrive.
    timer: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let shared = Arc::clone(&self.shared);
        let mut net = shared.net.lock();
        let cut = net.pipes.get(&self.read).is_some_and(|pipe| net.is_cut(pipe.from, pipe.to));
        let Some(pipe) = net.pipes.get_mut(&self.read) else { return Poll::Ready(Ok(())) };
        pipe.reader = Some(cx.waker().clone());
        match (pipe.end, pipe.queue.front().map(|(due, _)| *due)) {
            (Some(End::Reset), _) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            _ if cut => Poll::Pending,
            (_, Some(due)) if due <= Instant::now() => {
                pipe.read_into(buf);
                Poll::Ready(Ok(()))
            }
            (_, Some(due)) => {
                drop(net);
                let mut timer = Box::pin(sleep_until(due));
                let ready = timer.as_mut().poll(cx).is_ready();
                self.timer = Some(timer);
                if ready {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            (Some(End::Closed), None) => Poll::Ready(Ok(())),
            (None, None) => Poll::Pending,
        }
    }
}

impl Pipe {
    fn read_into(&mut self, buf: &mut ReadBuf<'_>) {
        let Some((_, bytes)) = self.queue.front_mut() else { return };
        let count = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..count]);
        bytes.advance(count);
        self.bytes -= count;
        if bytes.is_empty() {
            self.queue.pop_front();
        }
        wake(&mut self.writer);
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut net = self.shared.net.lock();
        let due = Instant::now() + net.latency;
        // As with TCP, writing to a peer that is gone succeeds, and reading finds out.
        let Some(pipe) = net.pipes.get_mut(&self.write) else { return Poll::Ready(Ok(bytes.len())) };
        if pipe.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = PIPE_BYTES_MAX.saturating_sub(pipe.bytes);
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = bytes.len().min(room);
        pipe.queue.push_back((due, Bytes::copy_from_slice(&bytes[..count])));
        pipe.bytes += count;
        wake(&mut pipe.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(pipe) = self.shared.net.lock().pipes.get_mut(&self.write) {
            pipe.finish(End::Closed);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        let mut net = self.shared.net.lock();
        // The reader of a pipe takes it away; its writer then finds none.
        if let Some(mut pipe) = net.pipes.remove(&self.read) {
            wake(&mut pipe.writer);
        }
        if let Some(pipe) = net.pipes.get_mut(&self.write) {
            pipe.finish(End::Closed);
        }
    }
}
