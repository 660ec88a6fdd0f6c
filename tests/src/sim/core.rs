//! What the simulator asks of a membership protocol.

use std::time::{Duration, Instant};

use super::parting::Parted;

/// Where a process sits: its node, which start of it this is, where it listens, and what decides its random choices.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The node's number, from 0.
    pub node: u32,
    /// Which start of the node this is, from 1.
    pub start: u32,
    /// Its address: a number, the node's own until it moves.
    pub addr: u32,
    /// How many nodes there will be, for protocols that are configured by it.
    pub nodes: usize,
    /// Decides every random choice of the process.
    pub seed: u64,
    /// The cluster it belongs to: nodes of different numbers must never meet.
    pub cluster: u32,
}

/// A protocol without sockets and clocks, as the simulator drives it.
pub trait Core: Sized {
    /// What the processes of one world share to save memory. It changes nothing that they do.
    type Shared: Default;

    /// What it is called on the command line.
    const NAME: &'static str;
    /// Bytes that each datagram costs beyond its payload: seal, UDP and IP.
    const DATAGRAM_OVERHEAD: usize;
    /// The largest datagram it may send.
    const DATAGRAM_MAX: usize;
    /// A broken invariant fails the run; a baseline is only measured.
    const HELD_TO_INVARIANTS: bool;

    /// The settings it runs with, for the report.
    fn settings(nodes: usize) -> String;
    /// A process that knows only itself.
    fn new(seat: &Seat, shared: &Self::Shared) -> Self;
    /// Starts it with these seeds' addresses.
    fn join(&mut self, now: Instant, seeds: &[u32]);
    /// A datagram arrives. `false` if it was refused.
    fn datagram(&mut self, now: Instant, from: u32, bytes: &[u8]) -> bool;
    /// A host says that nobody listens at an address where a datagram went to. Told again and again.
    fn unreachable(&mut self, _now: Instant, _addr: u32) {}
    /// A stream request arrives; the answer, or `None` if it was refused.
    fn request(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>>;
    /// What became of a stream request.
    fn reply(&mut self, now: Instant, id: u64, result: Result<Vec<u8>, Failure>);
    /// A timer has run out.
    fn timeout(&mut self, now: Instant);
    /// Says farewell.
    fn leave(&mut self, now: Instant);
    /// What there is to do, until there is nothing.
    fn poll(&mut self) -> Option<Action>;
    /// When [`timeout`](Self::timeout) is due.
    fn next_timeout(&self) -> Option<Instant>;
    /// What the process says of itself at present.
    fn version(&self) -> Version;
    /// Whether it holds the quorum, how many it sees of those who count, and how many those are; `None` if it knows nothing of
    /// quorums.
    fn quorum(&self) -> Option<(bool, usize, usize)> {
        None
    }
    /// Whether it holds a node to be there, itself included.
    fn sees(&self, node: u32) -> bool;
}

/// What a process wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Send a datagram.
    Send {
        /// The address.
        to: u32,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// Send a request over a stream.
    Stream {
        /// To be given back with the answer.
        id: u64,
        /// The address.
        to: u32,
        /// The request.
        bytes: Vec<u8>,
        /// When it counts as failed.
        timeout: Duration,
    },
    /// Its view has changed.
    Changed(Change),
    /// It has something to say of the network's sides.
    Parted(Parted),
    /// The farewell is over.
    Departed,
}

/// A change of one process's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// To which node.
    pub node: u32,
    /// As which process of it.
    pub version: Version,
    /// It says of itself that it is unwell.
    pub degraded: bool,
}

/// What may happen to a node in somebody's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new, or came back as a new process.
    Joined,
    /// It said farewell.
    Left,
    /// It is accused, and still there.
    Suspected,
    /// It is gone.
    Failed,
    /// It is back, the same process as before.
    Recovered,
    /// It says something else about itself.
    Described,
}

/// Which process, and how often it has refuted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Raised by each start.
    pub generation: u64,
    /// Raised by each refutation.
    pub incarnation: u64,
}

/// Why a stream request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The host says that nobody listens.
    Refused,
    /// No way there, or no sense in what came back.
    Unreachable,
    /// Nothing in time.
    TimedOut,
}
