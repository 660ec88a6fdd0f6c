//! A network in memory: hosts, streams and datagrams, and the ways a network fails.
//!
//! It runs on tokio's clock. Under a paused clock (`tokio::time::pause`) a test that waits takes no time, and the same
//! seed loses the same datagrams.

mod datagram;
mod faults;
mod host;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use self::{
    datagram::Datagram,
    faults::Faults,
    stream::{End, MemoryStream, Pipe},
};
pub use self::{datagram::MemorySocket, host::MemoryHost};

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
    /// Told whenever a cut or a pause ends, and when a host's processes do.
    healed: Notify,
}

#[derive(Debug)]
struct Net {
    random: fastrand::Rng,
    faults: Faults,
    listeners: BTreeMap<SocketAddr, mpsc::Sender<(MemoryStream, SocketAddr)>>,
    sockets: BTreeMap<SocketAddr, mpsc::Sender<Datagram>>,
    /// How often each host's processes were killed. What they held says when it was made, and is worth nothing since.
    epochs: BTreeMap<IpAddr, u64>,
    pipes: BTreeMap<u64, Pipe>,
    last_pipe: u64,
    last_port: u16,
}

/// The first port the network gives out, as most systems do.
const PORT_FIRST: u16 = 49152;

impl MemoryNetwork {
    /// A network in which a packet takes half a millisecond and none is lost.
    pub fn new(seed: u64) -> Self {
        let net = Net {
            random: fastrand::Rng::with_seed(seed),
            faults: Faults::none(),
            listeners: BTreeMap::new(),
            sockets: BTreeMap::new(),
            epochs: BTreeMap::new(),
            pipes: BTreeMap::new(),
            last_pipe: 0,
            last_port: PORT_FIRST - 1,
        };
        Self { shared: Arc::new(Shared { net: Mutex::new(net), healed: Notify::new() }) }
    }

    /// The host with an address. It exists as soon as somebody asks for it.
    ///
    /// It is a process on that host: [`kill`](Self::kill) ends it, and whoever asks after that gets the next one.
    pub fn host(&self, ip: impl Into<IpAddr>) -> MemoryHost {
        let ip = ip.into();
        let epoch = self.shared.net.lock().epoch(ip);
        MemoryHost::new(self.clone(), ip, epoch)
    }

    /// Sets how long a packet takes. Those under way are not affected.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.net.lock().faults.latency = latency;
    }

    /// Sets the share of datagrams that are lost, 0 to 1. Streams lose nothing.
    pub fn set_loss(&self, loss: f64) {
        self.shared.net.lock().faults.loss = loss;
    }

    /// Cuts the link between two hosts, in both directions: datagrams are lost without a sign, streams stall, and new
    /// connections neither succeed nor fail.
    pub fn cut(&self, a: IpAddr, b: IpAddr) {
        self.cut_one_way(a, b);
        self.cut_one_way(b, a);
    }

    /// Cuts what one host sends to the other; what the other sends still arrives.
    pub fn cut_one_way(&self, from: IpAddr, to: IpAddr) {
        self.shared.net.lock().faults.cut(from, to);
    }

    /// Cuts every link between the hosts of one side and those of the other.
    pub fn partition(&self, one: &[IpAddr], other: &[IpAddr]) {
        one.iter().for_each(|a| other.iter().for_each(|b| self.cut(*a, *b)));
    }

    /// Ends every cut. What was written to streams meanwhile arrives.
    pub fn heal(&self) {
        self.mend(Faults::heal);
    }

    /// Makes every packet to or from a host take longer by this much; zero ends it.
    pub fn slow_down(&self, ip: IpAddr, by: Duration) {
        self.shared.net.lock().faults.slow_down(ip, by);
    }

    /// Stops a host's processes, as far as others can see, as SIGSTOP does: they send nothing, and what comes waits for
    /// [`resume`](Self::resume), datagrams as far as their sockets hold them.
    ///
    /// Only the network is stopped: to itself the process runs on, and finds that nobody answers.
    pub fn pause(&self, ip: IpAddr) {
        self.shared.net.lock().faults.pause(ip);
    }

    /// Lets a host's processes go on.
    pub fn resume(&self, ip: IpAddr) {
        self.mend(|faults| faults.resume(ip));
    }

    fn mend(&self, mend: impl FnOnce(&mut Faults)) {
        let mut net = self.shared.net.lock();
        mend(&mut net.faults);
        net.pipes.values_mut().for_each(Pipe::wake_reader);
        drop(net);
        self.shared.healed.notify_waiters();
    }

    /// Ends the processes of a host as SIGKILL does: its connections are reset, its ports closed. The host itself is up
    /// and refuses whoever knocks.
    ///
    /// Whatever still holds a [`MemoryHost`] or a [`MemorySocket`] from before connects to nobody and sends nothing any
    /// more.
    pub fn kill(&self, ip: IpAddr) {
        let mut net = self.shared.net.lock();
        *net.epochs.entry(ip).or_default() += 1;
        net.listeners.retain(|addr, _| addr.ip() != ip);
        net.sockets.retain(|addr, _| addr.ip() != ip);
        for pipe in net.pipes.values_mut().filter(|pipe| pipe.from == ip || pipe.to == ip) {
            pipe.finish(End::Reset);
        }
        drop(net);
        self.shared.healed.notify_waiters();
    }
}

impl Net {
    fn epoch(&self, ip: IpAddr) -> u64 {
        self.epochs.get(&ip).copied().unwrap_or_default()
    }

    /// Fails for a process that was killed.
    fn check_alive(&self, ip: IpAddr, epoch: u64) -> io::Result<()> {
        if self.epoch(ip) == epoch {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, format!("the process at {ip} was killed")))
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
        self.pipes.insert(self.last_pipe, Pipe::new(from, to));
        self.last_pipe
    }
}
