//! A world of many nodes in virtual time: one heap of events, one seed, faults on demand.

mod carry;
mod questions;
mod schedule;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use uuid::Uuid;

use super::super::{
    ClusterEvent, Config, Generation, Identity, Membership, Node, NodeId, StreamFailure, StreamId,
};
use schedule::{Scheduled, What};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The id of node `index`, for assertions.
pub(super) fn id(index: usize) -> NodeId {
    NodeId::new(Uuid::from_u128(0x1000 + index as u128))
}

/// The network and everything on it.
pub(super) struct Net {
    start: Instant,
    now: Instant,
    rng: Rng,
    heap: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
    pub(super) hosts: Vec<Host>,
    by_addr: BTreeMap<SocketAddr, usize>,
    /// Share of datagrams lost.
    pub(super) loss: f64,
    /// Directed links that carry nothing.
    cut: BTreeSet<(usize, usize)>,
    /// No datagram passes, while streams do.
    pub(super) no_datagrams: bool,
    /// Hosts answer a datagram to a process that is gone.
    pub(super) icmp: bool,
    /// How often they did.
    pub(super) unreachable: u64,
    /// Every stream is refused, as by a firewall that resets.
    pub(super) streams_refused: bool,
    /// The pause that nodes started from now on accept.
    pub(super) patience: Duration,
    pub(super) log: Vec<Logged>,
    pub(super) seeds_unreachable: Vec<(usize, SocketAddr, StreamFailure)>,
    pub(super) datagrams_lost: u64,
    /// With its seal.
    pub(super) largest_datagram: usize,
    /// What nodes sent, if somebody listens.
    pub(super) recorded: Option<Vec<Said>>,
    trace: u64,
}

/// One event of one node's stream.
#[derive(Clone, Debug)]
pub(super) struct Logged {
    pub(super) at: Duration,
    pub(super) observer: usize,
    pub(super) event: ClusterEvent,
}

/// Something that a node sent.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Datagram(Vec<u8>),
    Request(Vec<u8>),
}

/// A machine and the process on it.
pub(super) struct Host {
    pub(super) membership: Membership,
    pub(super) addr: SocketAddr,
    process: Process,
    cluster: String,
    starts: u64,
    /// Starts that the generation does not count, as if the clock had been set back.
    forgotten: u64,
    armed: Option<Instant>,
    /// How often the timer ran at one moment.
    timers: (Option<Instant>, u32),
    waiting: Vec<What>,
    open: BTreeSet<StreamId>,
    pub(super) view: BTreeMap<NodeId, Node>,
    failed: BTreeSet<(NodeId, u64, u64)>,
    pub(super) sent_bytes: usize,
    pub(super) joined: bool,
    pub(super) departed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Running,
    Paused,
    /// The process is gone, its host answers "connection refused".
    Gone,
    /// The host is silent.
    Dark,
}

impl Net {
    /// An empty world.
    pub(super) fn empty(seed: u64) -> Self {
        let now = Instant::now();
        Self {
            start: now,
            now,
            rng: Rng::with_seed(seed),
            heap: BinaryHeap::new(),
            sequence: 0,
            hosts: Vec::new(),
            by_addr: BTreeMap::new(),
            loss: 0.0,
            cut: BTreeSet::new(),
            no_datagrams: false,
            icmp: false,
            unreachable: 0,
            streams_refused: false,
            patience: ms(1_500),
            log: Vec::new(),
            seeds_unreachable: Vec::new(),
            datagrams_lost: 0,
            largest_datagram: 0,
            recorded: None,
            trace: 0,
        }
    }

    /// `nodes` processes that have found each other through node 0 and run for a few seconds.
    pub(super) fn settled(nodes: usize, seed: u64) -> Self {
        let mut net = Self::empty(seed);
        net.settle(nodes);
        net
    }

    /// Starts `nodes` processes in an empty world, as [`Net::settled`] does.
    pub(super) fn settle(&mut self, nodes: usize) {
        for index in 0..nodes {
            self.start(&[addr(0)]);
            if index == 0 {
                self.run_for(ms(1));
            }
        }
        let took = self.run_until(secs(20), |net| net.all_see(nodes));
        assert!(took.is_some(), "{nodes} nodes must find each other");
        self.run_for(secs(3));
    }

    /// Starts another process that knows these seeds.
    pub(super) fn start(&mut self, seeds: &[SocketAddr]) -> usize {
        self.start_in("test", seeds)
    }

    pub(super) fn start_in(&mut self, cluster: &str, seeds: &[SocketAddr]) -> usize {
        let index = self.hosts.len();
        let host = self.new_host(index, addr(index), cluster, 1);
        self.by_addr.insert(host.addr, index);
        self.hosts.push(host);
        self.input(index, |membership, now| membership.join(now, seeds));
        index
    }

    fn new_host(&mut self, index: usize, addr: SocketAddr, cluster: &str, starts: u64) -> Host {
        let forgotten = self.hosts.get(index).map_or(0, |host| host.forgotten);
        let identity = Identity::new(id(index), Generation(1_000 + starts - forgotten), addr);
        let config = Config::new(cluster).acceptable_pause(self.patience);
        Host {
            membership: Membership::new(identity, config, self.rng.u64(..)),
            addr,
            process: Process::Running,
            cluster: cluster.to_owned(),
            starts,
            forgotten,
            armed: None,
            timers: (None, 0),
            waiting: Vec::new(),
            open: BTreeSet::new(),
            view: BTreeMap::new(),
            failed: BTreeSet::new(),
            sent_bytes: 0,
            joined: false,
            departed: false,
        }
    }

    /// Starts node `index` anew, as a new generation at `addr`.
    pub(super) fn restart(&mut self, index: usize, addr: SocketAddr, seeds: &[SocketAddr]) {
        let old = self.hosts[index].addr;
        let (cluster, starts) = (self.hosts[index].cluster.clone(), self.hosts[index].starts + 1);
        if self.by_addr.get(&old) == Some(&index) {
            self.by_addr.remove(&old);
        }
        self.hosts[index] = self.new_host(index, addr, &cluster, starts);
        self.by_addr.insert(addr, index);
        self.input(index, |membership, now| membership.join(now, seeds));
    }

    /// The next start of this node will believe to be its first.
    pub(super) fn forget_starts(&mut self, index: usize) {
        self.hosts[index].forgotten = self.hosts[index].starts;
    }

    /// The process ends without a word; its host refuses connections.
    pub(super) fn exit(&mut self, index: usize) {
        self.hosts[index].process = Process::Gone;
    }

    /// The host falls silent.
    pub(super) fn darken(&mut self, index: usize) {
        self.hosts[index].process = Process::Dark;
    }

    pub(super) fn pause(&mut self, index: usize) {
        self.hosts[index].process = Process::Paused;
    }

    /// Goes on: what was received meanwhile is read first, then the timers run.
    pub(super) fn resume(&mut self, index: usize) {
        self.hosts[index].process = Process::Running;
        for what in std::mem::take(&mut self.hosts[index].waiting) {
            self.deliver(index, what);
        }
        self.input(index, Membership::handle_timeout);
    }

    /// What was received in a pause is lost, as when the socket's buffer was full.
    pub(super) fn lose_waiting(&mut self, index: usize) {
        self.hosts[index].waiting.clear();
    }

    /// Nothing passes from `from` to `to`.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    pub(super) fn mend(&mut self) {
        self.cut.clear();
    }

    /// One input to one node, and all that follows.
    pub(super) fn input<T>(&mut self, index: usize, act: impl FnOnce(&mut Membership, Instant) -> T) -> T {
        let result = act(&mut self.hosts[index].membership, self.now);
        self.drain(index);
        result
    }

    /// A datagram from outside the cluster.
    pub(super) fn inject(&mut self, index: usize, bytes: &[u8]) -> bool {
        let from = SocketAddr::from(([192, 0, 2, 9], 9));
        self.input(index, |membership, now| membership.handle_datagram(now, from, bytes)).is_ok()
    }

    fn drain(&mut self, index: usize) {
        while let Some(output) = self.hosts[index].membership.poll_output() {
            self.carry_out(index, output);
        }
        self.arm(index);
    }

    fn arm(&mut self, index: usize) {
        let Some(at) = self.hosts[index].membership.next_timeout().map(|at| at.max(self.now)) else { return };
        if self.hosts[index].armed.is_none_or(|armed| at < armed) {
            self.hosts[index].armed = Some(at);
            self.schedule(at, index, What::Timer);
        }
    }

    fn schedule(&mut self, at: Instant, host: usize, what: What) {
        self.sequence += 1;
        let starts = self.hosts[host].starts;
        self.heap.push(Reverse(Scheduled { at, sequence: self.sequence, host, starts, what }));
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `done`, looking after every event; how long it took, or `None` after `limit`.
    pub(super) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> Option<Duration> {
        let (start, until) = (self.now, self.now + limit);
        loop {
            if done(self) {
                return Some(self.now - start);
            }
            // In slices: looking is dearer than an event.
            let slice = (self.now + ms(10)).min(until);
            while self.step(slice) {}
            self.now = slice;
            if slice == until {
                return done(self).then(|| until - start);
            }
        }
    }

    fn step(&mut self, until: Instant) -> bool {
        if self.heap.peek().is_none_or(|Reverse(next)| next.at > until) {
            return false;
        }
        let Some(Reverse(next)) = self.heap.pop() else { return false };
        self.now = self.now.max(next.at);
        if next.starts == self.hosts[next.host].starts {
            self.arrive(next);
        }
        true
    }

    fn arrive(&mut self, next: Scheduled) {
        let index = next.host;
        match (self.hosts[index].process, next.what) {
            (Process::Running, What::Timer) => {
                if self.hosts[index].armed == Some(next.at) {
                    self.hosts[index].armed = None;
                    self.input(index, Membership::handle_timeout);
                    self.assert_not_spinning(index);
                }
            }
            (Process::Paused, What::Timer) => self.hosts[index].armed = None,
            (Process::Running, what) => self.deliver(index, what),
            (Process::Paused, what) => self.hosts[index].waiting.push(what),
            (Process::Gone | Process::Dark, _) => {}
        }
    }

    /// A timer that is due again and again at one moment would be a busy loop in a driver.
    fn assert_not_spinning(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        let (last, times) = host.timers;
        host.timers = if last == Some(self.now) { (last, times + 1) } else { (Some(self.now), 0) };
        assert!(times < 100, "node {index} asks for a timer at {:?} again and again", self.now - self.start);
    }
}

/// The address of node `index`.
pub(super) fn addr(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, (index / 250) as u8, (index % 250) as u8], 7_946))
}
