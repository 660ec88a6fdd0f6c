//! What will happen, and when.

use std::net::SocketAddr;
use std::time::Instant;

use super::super::super::{StreamFailure, StreamId};

/// One thing that will happen, to one start of one node.
#[derive(Debug)]
pub(super) struct Scheduled {
    pub(super) at: Instant,
    pub(super) sequence: u64,
    pub(super) host: usize,
    pub(super) starts: u64,
    pub(super) what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum What {
    Timer,
    Unreachable { addr: SocketAddr },
    Datagram { from: SocketAddr, bytes: Vec<u8> },
    Request { from: usize, id: StreamId, bytes: Vec<u8> },
    Reply { id: StreamId, result: Result<Vec<u8>, StreamFailure> },
}

/// By time, then in the order of scheduling: that is what makes a run repeatable.
impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}
