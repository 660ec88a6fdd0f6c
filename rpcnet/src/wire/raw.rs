//! Frames and hellos by themselves, for the fuzz targets: what is decoded, and what it is encoded to again.

use bytes::{Bytes, BytesMut};

use super::{
    decode,
    frame::{HEADER_BYTES, Kind},
    head::{CallHead, ReplyHead},
    hello::{EXTENSION_MAX, Hello},
    limits::{FRAME_HEAD_MAX, FRAME_PAYLOAD_MAX},
    output::CloseReason,
};

/// As much of a frame as may wait for the rest of it.
pub const WAITING_BYTES_MAX: usize = HEADER_BYTES + FRAME_HEAD_MAX + FRAME_PAYLOAD_MAX;

/// The longest hello.
pub const HELLO_BYTES_MAX: usize = 26 + EXTENSION_MAX;

/// A frame, as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The number of its kind, if this version knows it.
    known: bool,
    bytes: Bytes,
}

impl Frame {
    /// Whether these are the bytes it was decoded from. The kind of a frame that is skipped is not kept.
    pub fn is(&self, bytes: &[u8]) -> bool {
        let kind = 4;
        self.bytes.len() == bytes.len()
            && self
                .bytes
                .iter()
                .zip(bytes)
                .enumerate()
                .all(|(at, (a, b))| a == b || at == kind && !self.known)
    }

    /// How long it is.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Takes a frame off the front. Its head, if it is one of a call or an answer, means the same when it is encoded again.
pub fn take_frame(bytes: &mut BytesMut) -> Result<Option<Frame>, CloseReason> {
    let Some(frame) = decode::take_frame(bytes)? else { return Ok(None) };
    match frame.header.kind {
        Kind::Call => reread_call(frame.head(), frame.header.flags),
        Kind::Reply | Kind::Reset => reread_reply(frame.head()),
        _ => {}
    }
    let known = frame.header.kind != Kind::Other;
    let bytes = [&frame.header.encode()[..], frame.head(), frame.payload()].concat();
    Ok(Some(Frame { known, bytes: bytes.into() }))
}

fn reread_call(bytes: &[u8], flags: u8) {
    let Some(head) = CallHead::decode(bytes, flags) else { return };
    let mut again = BytesMut::new();
    head.encode(&mut again);
    assert_eq!(again.len(), head.encoded_len(), "the length it announces");
    assert!(again.len() <= bytes.len(), "no longer than it came");
    assert_eq!(CallHead::decode(&again, head.flags()), Some(head));
}

fn reread_reply(bytes: &[u8]) {
    let Some(head) = ReplyHead::decode(bytes) else { return };
    let mut again = BytesMut::new();
    head.encode(&mut again);
    assert_eq!(again.len(), head.encoded_len(), "the length it announces");
    assert_eq!(ReplyHead::decode(&again), Some(head));
}

/// Decodes a hello, and again what it is encoded to. True when there was one.
pub fn reread_hello(bytes: &[u8]) -> bool {
    let Ok(Some(hello)) = Hello::decode(&mut bytes.into()) else { return false };
    let mut again = BytesMut::new();
    hello.encode(&mut again);
    assert_eq!(Hello::decode(&mut again), Ok(Some(hello)));
    assert!(again.is_empty(), "a hello is taken off whole");
    true
}
