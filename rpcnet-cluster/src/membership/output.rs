//! What the state machine wants done, and what it is told about it.

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use super::{ClusterEvent, Unreadable};

/// Something for the driver to do, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Send a datagram. Losing it is allowed.
    Send {
        /// Where to.
        to: SocketAddr,
        /// At most 1 200 bytes.
        bytes: Vec<u8>,
    },
    /// Send a request over a stream and hand the answer to `handle_stream_reply` under this id, exactly once, within
    /// the timeout.
    Stream {
        /// To be given back with the answer.
        id: StreamId,
        /// Where to.
        to: SocketAddr,
        /// The request, at most 256 KiB.
        bytes: Vec<u8>,
        /// After this the answer is [`StreamFailure::TimedOut`].
        timeout: Duration,
    },
    /// Tell the user.
    Event(ClusterEvent),
    /// A seed answered: this node is part of whatever cluster the seed belongs to. Said once.
    Joined {
        /// The seed.
        seed: SocketAddr,
    },
    /// A seed turned out to be this node itself, under another of its addresses. It is not asked again.
    SeedIsSelf {
        /// The seed.
        seed: SocketAddr,
    },
    /// A seed did not answer. It is tried again for ever; the node goes on meanwhile.
    SeedUnreachable {
        /// The seed.
        seed: SocketAddr,
        /// What happened.
        failure: StreamFailure,
        /// How often it has been tried in a row.
        attempts: u32,
        /// When it is tried next.
        retry_in: Duration,
    },
    /// The farewell is over; nothing more comes out of this machine.
    Departed,
}

/// Names one stream request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u64);

/// Why a stream request has no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamFailure {
    /// The host answered that nobody listens on that port: positive evidence that the process is gone. A driver must
    /// not say this for anything else.
    #[error("connection refused")]
    Refused,
    /// No way there, or the connection broke, or its peer did not understand us.
    #[error("unreachable")]
    Unreachable,
    /// Something answers there, and not in a way that this node can read: with another key, say.
    #[error("answered, but {0}")]
    Unreadable(Unreadable),
    /// Nothing within the timeout.
    #[error("timed out")]
    TimedOut,
}
