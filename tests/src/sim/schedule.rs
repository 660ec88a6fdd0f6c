//! What will happen, and when: one heap, ordered by time and then by the order of scheduling.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use super::core::Failure;

/// One thing that will happen, to one start of one node.
#[derive(Debug)]
pub(crate) struct Scheduled {
    /// Since the beginning of the world.
    pub(crate) at: Duration,
    sequence: u64,
    pub(crate) node: u32,
    /// Meant for this start of the node: a new process gets nothing of the old one's.
    pub(crate) start: u32,
    pub(crate) what: What,
}

/// What happens.
#[derive(Debug)]
pub(crate) enum What {
    Timer,
    Datagram {
        from: u32,
        bytes: Vec<u8>,
    },
    /// Nobody listens at this address.
    Unreachable {
        addr: u32,
    },
    Request {
        from: u32,
        from_start: u32,
        id: u64,
        bytes: Vec<u8>,
    },
    Reply {
        id: u64,
        result: Result<Vec<u8>, Failure>,
    },
}

impl What {
    /// A number for the trace: the kind and the size.
    pub(crate) fn digest(&self) -> u64 {
        let (kind, size) = match self {
            Self::Timer => (0, 0),
            Self::Datagram { bytes, .. } => (1, bytes.len()),
            Self::Unreachable { addr } => (5, *addr as usize),
            Self::Request { bytes, .. } => (2, bytes.len()),
            Self::Reply { result: Ok(bytes), .. } => (3, bytes.len()),
            Self::Reply { result: Err(failure), .. } => (4, *failure as usize),
        };
        kind << 32 | size as u64
    }
}

/// The heap of the world.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    heap: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
}

impl Schedule {
    pub(crate) fn push(&mut self, at: Duration, (node, start): (u32, u32), what: What) {
        self.sequence += 1;
        self.heap.push(Reverse(Scheduled { at, sequence: self.sequence, node, start, what }));
    }

    /// The next event that is not later than `until`.
    pub(crate) fn pop(&mut self, until: Duration) -> Option<Scheduled> {
        let due = self.heap.peek().is_some_and(|Reverse(next)| next.at <= until);
        if due { self.heap.pop().map(|Reverse(next)| next) } else { None }
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}
