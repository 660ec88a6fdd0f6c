//! Bytes to frames: takes whole frames off the front of what was read.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    frame::{HEADER_BYTES, Header, Kind, flags},
    output::CloseReason,
};

/// A whole frame. It shares the memory it was read into.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    /// The head, and the payload behind it: taken apart only where the payload is kept.
    body: Bytes,
}

impl Frame {
    pub(crate) fn head(&self) -> &[u8] {
        &self.body[..self.header.head_len]
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.body[self.header.head_len..]
    }

    /// Of a stream's frame: whether an item is whole with it.
    pub(crate) fn ends_item(&self) -> bool {
        self.header.kind == Kind::Pack || self.header.has(flags::END)
    }

    pub(crate) fn into_payload(mut self) -> Bytes {
        self.body.advance(self.header.head_len);
        self.body
    }
}

/// Takes a frame off the front of `bytes`; `None` until it is whole.
///
/// What is buffered for a frame never exceeds the protocol's frame limits: the header is checked before its frame is
/// waited for.
pub(crate) fn take_frame(bytes: &mut BytesMut) -> Result<Option<Frame>, CloseReason> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let header = Header::decode(header)?;
    let length = header.head_len + header.payload_len;
    if bytes.len() < HEADER_BYTES + length {
        return Ok(None);
    }
    bytes.advance(HEADER_BYTES);
    let body = if length == 0 { Bytes::new() } else { bytes.split_to(length).freeze() };
    Ok(Some(Frame { header, body }))
}
