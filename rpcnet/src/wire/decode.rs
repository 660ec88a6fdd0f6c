//! Bytes to frames: takes whole frames off the front of what was read.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    frame::{HEADER_BYTES, Header},
    output::CloseReason,
};

/// A whole frame. Head and payload share the memory they were read into.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) head: Bytes,
    pub(crate) payload: Bytes,
}

/// Takes a frame off the front of `bytes`; `None` until it is whole.
///
/// What is buffered for a frame never exceeds the protocol's frame limits: the header is checked before its frame is
/// waited for.
pub(crate) fn take_frame(bytes: &mut BytesMut) -> Result<Option<Frame>, CloseReason> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let header = Header::decode(header)?;
    if bytes.len() < HEADER_BYTES + header.head_len + header.payload_len {
        return Ok(None);
    }
    bytes.advance(HEADER_BYTES);
    let head = take(bytes, header.head_len);
    let payload = take(bytes, header.payload_len);
    Ok(Some(Frame { header, head, payload }))
}

fn take(bytes: &mut BytesMut, length: usize) -> Bytes {
    if length == 0 { Bytes::new() } else { bytes.split_to(length).freeze() }
}
