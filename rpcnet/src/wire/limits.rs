//! Every bound of a connection, with its reason.

use std::time::Duration;

/// The bounds of one end of a connection. Those that concern the peer are told to it in the hello.
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`message_bytes_max`](Self::message_bytes_max) | 16 MiB | one message is held in memory whole |
/// | [`calls_max`](Self::calls_max) | 4096 | each call in flight costs the server a handler |
/// | [`streams_max`](Self::streams_max) | 256 | of these calls, those with streams: each may have a window of unread items |
/// | [`stream_window`](Self::stream_window) | 256 KiB | items that are under way or unread: what a network of 2 Gbit/s carries in a millisecond |
/// | [`buffered_bytes_max`](Self::buffered_bytes_max) | 64 MiB | messages that arrive in pieces, all calls of a connection together |
/// | [`unsent_bytes_max`](Self::unsent_bytes_max) | 4 MiB | answers a client does not read: past it, no more of its calls are read |
/// | [`queued_bytes_max`](Self::queued_bytes_max) | 64 MiB | a peer that does not read: past it, no more calls, or answers, wait for it |
/// | [`handshake_timeout`](Self::handshake_timeout) | 5 s | a peer that connects and says nothing |
/// | [`keepalive_interval`](Self::keepalive_interval) | 10 s | silence after which a peer that owes an answer is asked whether it is there |
/// | [`keepalive_timeout`](Self::keepalive_timeout) | 5 s | silence after that question which ends the connection |
/// Fields are changed one by one, since there may be more of them one day:
///
/// ```
/// let mut limits = rpcnet::Limits::default();
/// limits.calls_max = 256;
/// limits.message_bytes_max = 1 << 20;
/// # assert_eq!(limits.streams_max, 256);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest message accepted, in bytes. Larger ones fail their call.
    pub message_bytes_max: u32,
    /// How many calls of a client a server takes at once on one connection. At most 2²³. One that was given up counts until its
    /// handler has stopped, which one that is `blocking`, `no_cancel` or keyed does in its own time; past the limit calls are
    /// refused then. A connection that has closed counts until then too, as one of the server's
    /// [`connections_max`](crate::ServerBuilder::connections_max).
    pub calls_max: u32,
    /// How many calls with streams a server takes at once on one connection. At most `calls_max`.
    pub streams_max: u32,
    /// How many bytes of a stream may be under way or unread, each item with 2 bytes more and each frame of items with 16: a
    /// writer that is further ahead of its reader waits. An item larger than this passes in pieces. At least 4 KiB. A server holds at most `streams_max`
    /// times this for a connection.
    pub stream_window: u32,
    /// How many bytes of incomplete arguments and items a server holds for a client, all calls together. (Incomplete answers are
    /// bounded by the calls a client made.)
    pub buffered_bytes_max: usize,
    /// How many bytes of answers may wait to be sent before no more calls are begun or read. Those that run already add
    /// theirs.
    pub unsent_bytes_max: usize,
    /// How many bytes may wait to be sent at all. Past it, a client's further calls are refused (what is left of long
    /// arguments does not count), and a server gives up answers: their calls have run, and fail with a status that says so.
    pub queued_bytes_max: usize,
    /// How long the peer may take to say hello.
    pub handshake_timeout: Duration,
    /// How long a peer that owes an answer may be silent before it is asked whether it is there.
    pub keepalive_interval: Duration,
    /// How long it may stay silent after that.
    pub keepalive_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 << 20,
            calls_max: 4096,
            streams_max: 256,
            stream_window: 256 << 10,
            buffered_bytes_max: 64 << 20,
            unsent_bytes_max: 4 << 20,
            queued_bytes_max: 64 << 20,
            handshake_timeout: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(10),
            keepalive_timeout: Duration::from_secs(5),
        }
    }
}

/// The largest payload of a frame. Part of the protocol: a longer frame is a violation.
///
/// 64 KiB keeps a small call's wait behind a piece of a large one under a millisecond at 1 Gbit/s.
pub(crate) const FRAME_PAYLOAD_MAX: usize = 64 << 10;

/// The smallest window of a stream: below it, credit would travel in crumbs. Part of the protocol.
pub(crate) const STREAM_WINDOW_MIN: u32 = 4 << 10;

/// The largest head of a frame. Part of the protocol: the fixed part, metadata of at most 8 KiB, and room for
/// later versions.
pub(crate) const FRAME_HEAD_MAX: usize = 16 << 10;

/// The longest text of a status; the rest is cut off. A message is for a person to read.
pub(crate) const STATUS_MESSAGE_MAX: usize = 4 << 10;

/// How much of bulky messages is put into one write. A few frames: enough to amortise the system call, little enough that a
/// small call which arrives meanwhile waits for one write only.
pub(crate) const WRITE_BYTES_TARGET: usize = 256 << 10;
