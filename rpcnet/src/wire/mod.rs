//! ③ The protocol between two processes, pure: bytes, time and commands in, bytes and outputs out.
//!
//! A [`Connection`] is one end. Its contract:
//!
//! | | |
//! |---|---|
//! | in | `handle_bytes`, `handle_end`, `handle_timeout` |
//! | commands | `open`, `close`, `reply`, `go_away`; of streams `write`, `finish`, `read`, `stop_reading` |
//! | out | `poll_transmit` (bytes for the peer), `poll_output` (what happened), `next_timeout` (when to call `handle_timeout`) |
//!
//! After any of the first two kinds, a driver drains `poll_output`, writes what `poll_transmit` gives, and arms one timer
//! for `next_timeout`. Nothing here knows of sockets, tasks or clocks.
//!
//! # On the wire
//!
//! Each end sends a [hello](hello) first, then frames. All integers are little-endian. A frame is a 16-byte header, a *head*
//! of its own, and a payload, which is what a codec made and the protocol never looks into:
//!
//! ```text
//!  0         4      5       6           8                        16
//! +---------+------+-------+-----------+------------------------+------+---------+
//! | length  | kind | flags | head len  |       stream id        | head | payload |
//! +---------+------+-------+-----------+------------------------+------+---------+
//!   u32: head + payload      u16         u64
//! ```
//!
//! A message longer than a frame goes on in DATA frames; the frame with the flag END is its last. Frames of different calls
//! may be interleaved, so that a small call passes between the pieces of a large one. A receiver skips what it does not
//! know at the end of a head, and whole frames of a kind it does not know: that is how later versions add to both.
//!
//! The whole of it, for whoever writes the other end in another language, is `book/src/internals/protocol.md`. What it shows
//! are the files of `tests/golden/`: a change here that is not made there fails a test.

mod accepted;
#[cfg(any(test, fuzzing))]
mod audit;
mod calls;
mod connection;
mod decode;
pub(crate) mod flow;
mod frame;
mod head;
mod hello;
mod keepalive;
mod limits;
mod message;
mod opened;
mod outbox;
mod output;
#[cfg(fuzzing)]
pub(crate) mod raw;
mod stream_id;
mod streams;

#[cfg(fuzzing)]
pub(crate) use audit::Held;
pub(crate) use calls::Call;
pub(crate) use connection::{Connection, Role};
pub(crate) use head::{CallHead, RepeatHead};
pub(crate) use streams::Writing;

pub(crate) use limits::FRAME_PAYLOAD_MAX;
pub use limits::Limits;
pub use output::CloseReason;
pub(crate) use output::{IncomingCall, Output};
pub(crate) use stream_id::StreamId;

#[cfg(test)]
mod tests;
