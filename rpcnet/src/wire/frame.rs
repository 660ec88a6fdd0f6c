//! A frame's fixed header: what it is, how long, and of which call.

use super::{
    limits::{FRAME_HEAD_MAX, FRAME_PAYLOAD_MAX},
    output::CloseReason,
    stream_id::StreamId,
};

/// The bytes of a frame's header.
pub(crate) const HEADER_BYTES: usize = 16;

/// What a frame is for. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a call: a [`CallHead`](super::head::CallHead) and the beginning of the arguments.
    Call,
    /// More of a message, or of an item of a stream.
    Data,
    /// Answers a call: a [`ReplyHead`](super::head::ReplyHead) and the beginning of the answer.
    Reply,
    /// The opener wants no answer any more, and no items.
    Cancel,
    /// Asks the peer whether it is there; the stream id is any number.
    Ping,
    /// Answers a ping with its number.
    Pong,
    /// The sender takes no calls after the one named by the stream id; the payload says why.
    GoAway,
    /// The sender's stream is complete.
    Finish,
    /// The sender's stream ends and is not complete: a [`ReplyHead`](super::head::ReplyHead) of a status, and its text.
    Reset,
    /// The sender reads no more of the peer's stream.
    Stop,
    /// The peer may send more of its stream: the head says how many bytes, as a `u32`.
    Credit,
    /// Several items of a stream, each whole and behind its length.
    Pack,
    /// A kind of a later version: its frames are skipped.
    Other,
}

impl Kind {
    const WIRE: [(Kind, u8); 12] = [
        (Kind::Call, 1),
        (Kind::Data, 2),
        (Kind::Reply, 3),
        (Kind::Cancel, 4),
        (Kind::Ping, 5),
        (Kind::Pong, 6),
        (Kind::GoAway, 7),
        (Kind::Finish, 8),
        (Kind::Reset, 9),
        (Kind::Stop, 10),
        (Kind::Credit, 11),
        (Kind::Pack, 12),
    ];

    fn to_wire(self) -> u8 {
        Self::WIRE.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, number)| *number)
    }

    fn from_wire(number: u8) -> Self {
        Self::WIRE.iter().find(|(_, n)| *n == number).map_or(Kind::Other, |(kind, _)| *kind)
    }
}

/// Bits of a frame's flags.
pub(crate) mod flags {
    /// The last frame of its message, or item.
    pub(crate) const END: u8 = 1;
    /// The call carries a request id.
    pub(crate) const KEYED: u8 = 2;
    /// Of a CALL: the caller knows the method as one with a stream.
    pub(crate) const STREAMING: u8 = 4;
    /// The items of a stream follow the message.
    pub(crate) const ITEMS: u8 = 8;
    /// The call belongs to a trace.
    pub(crate) const TRACED: u8 = 16;
    /// The call carries metadata.
    pub(crate) const METADATA: u8 = 32;
    /// The call is keyed and a repeat.
    pub(crate) const REPEAT: u8 = 64;
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    pub(crate) head_len: usize,
    pub(crate) payload_len: usize,
    pub(crate) stream: StreamId,
}

impl Header {
    /// A frame of a header alone.
    pub(crate) fn bare(kind: Kind, stream: StreamId) -> Self {
        Self { kind, flags: 0, head_len: 0, payload_len: 0, stream }
    }

    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn encode(self) -> [u8; HEADER_BYTES] {
        let length = (self.head_len + self.payload_len) as u32;
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&length.to_le_bytes());
        bytes[4] = self.kind.to_wire();
        bytes[5] = self.flags;
        bytes[6..8].copy_from_slice(&(self.head_len as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.stream.to_bits().to_le_bytes());
        bytes
    }

    /// Reads a header and holds its lengths against the protocol's limits, before anything is reserved for them.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, CloseReason> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let length = word(0) as usize;
        let head_len = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
        let payload_len = length.checked_sub(head_len).ok_or_else(|| {
            CloseReason::violation(format_args!("a frame of {length} bytes announces a head of {head_len}"))
        })?;
        if head_len > FRAME_HEAD_MAX || payload_len > FRAME_PAYLOAD_MAX {
            let limits = format_args!("the protocol allows {FRAME_HEAD_MAX} and {FRAME_PAYLOAD_MAX}");
            return Err(CloseReason::violation(format_args!(
                "a frame announces a head of {head_len} and a payload of {payload_len} bytes; {limits}"
            )));
        }
        let stream = StreamId::from_bits(u64::from(word(8)) | u64::from(word(12)) << 32);
        Ok(Self { kind: Kind::from_wire(bytes[4]), flags: bytes[5], head_len, payload_len, stream })
    }
}
