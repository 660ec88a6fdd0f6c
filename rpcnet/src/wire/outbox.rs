//! What waits to be sent: small messages in one buffer, large ones in pieces between them.

#[cfg(any(test, fuzzing))]
mod audit;

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    frame::{Header, Kind, flags},
    head::{CallHead, ReplyHead},
    limits::{FRAME_PAYLOAD_MAX, WRITE_BYTES_TARGET},
    stream_id::StreamId,
};
use crate::status::Status;

/// Frames on their way out.
///
/// A message of one frame is encoded into `ready` at once: the writes of many callers leave as one. A longer one waits in
/// `bulk`, of which each message in turn gives one frame, after what is ready.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    ready: BytesMut,
    bulk: VecDeque<Bulk>,
    /// Payload bytes in `bulk`.
    bulk_bytes: usize,
    /// How many bytes have ever been put into `ready`, and how many of them were taken.
    queued: u64,
    taken: u64,
    /// What was taken last has not been written whole: whoever takes asks again only then.
    in_transit: bool,
}

/// What is left of a long message.
#[derive(Debug)]
struct Bulk {
    stream: StreamId,
    rest: Bytes,
    /// Frames of the stream's end, which must not overtake the message.
    then: BytesMut,
}

/// A point in the sequence of bytes that leave: whether what was queued there has been handed over can be asked later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position(u64);

impl Outbox {
    pub(crate) fn call(&mut self, stream: StreamId, head: &CallHead, payload: &Bytes) -> Position {
        let position = Position(self.queued);
        self.message(Kind::Call, head.flags(), stream, head.encoded_len(), |out| head.encode(out), payload);
        position
    }

    /// `items` says that a stream follows.
    pub(crate) fn reply(&mut self, stream: StreamId, head: ReplyHead, payload: &Bytes, items: bool) {
        let items = if items { flags::ITEMS } else { 0 };
        self.message(Kind::Reply, items, stream, head.encoded_len(), |out| head.encode(out), payload);
    }

    /// A piece of an item of a stream.
    pub(crate) fn item(&mut self, stream: StreamId, piece: &[u8], last: bool) {
        let end = if last { flags::END } else { 0 };
        let header = Header { flags: end, payload_len: piece.len(), ..Header::bare(Kind::Data, stream) };
        self.put(header, |_| (), piece);
    }

    /// Several items of a stream, each behind its length.
    pub(crate) fn pack(&mut self, stream: StreamId, pack: &[u8]) {
        let header = Header { payload_len: pack.len(), ..Header::bare(Kind::Pack, stream) };
        self.put(header, |_| (), pack);
    }

    /// Whether some of the message that comes before the items of a stream has not left.
    pub(crate) fn has_rest(&self, stream: StreamId) -> bool {
        self.bulk.iter().any(|bulk| bulk.stream == stream)
    }

    /// The items of a stream end here: complete, or cut.
    pub(crate) fn end(&mut self, stream: StreamId, end: Result<(), Status>) {
        let mut frame = BytesMut::new();
        match end {
            Ok(()) => frame.extend_from_slice(&Header::bare(Kind::Finish, stream).encode()),
            Err(status) => {
                let (head, text) = ReplyHead::split(Err(status));
                let (head_len, payload_len) = (head.encoded_len(), text.len());
                let header = Header { kind: Kind::Reset, flags: flags::END, head_len, payload_len, stream };
                frame.extend_from_slice(&header.encode());
                head.encode(&mut frame);
                frame.extend_from_slice(&text);
            }
        }
        match self.bulk.iter_mut().find(|bulk| bulk.stream == stream) {
            Some(bulk) => bulk.then.extend_from_slice(&frame),
            None => self.raw(|out| out.extend_from_slice(&frame)),
        }
    }

    /// The peer may send so much more of a stream.
    pub(crate) fn credit(&mut self, stream: StreamId, bytes: u32) {
        let head = bytes.to_le_bytes();
        let header = Header { head_len: head.len(), ..Header::bare(Kind::Credit, stream) };
        self.put(header, |out| out.extend_from_slice(&head), &[]);
    }

    /// A frame of a header alone.
    pub(crate) fn bare(&mut self, kind: Kind, stream: StreamId) {
        self.put(Header::bare(kind, stream), |_| (), &[]);
    }

    pub(crate) fn go_away(&mut self, last_accepted: StreamId, why: &str) {
        let header = Header { payload_len: why.len(), ..Header::bare(Kind::GoAway, last_accepted) };
        self.put(header, |_| (), why.as_bytes());
    }

    /// Raw bytes, before any frame.
    pub(crate) fn raw(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.ready.len();
        write(&mut self.ready);
        self.queued += (self.ready.len() - before) as u64;
    }

    /// Drops what is left of a long message; false when nothing was.
    pub(crate) fn abandon(&mut self, stream: StreamId) -> bool {
        let Some(at) = self.bulk.iter().position(|bulk| bulk.stream == stream) else { return false };
        if let Some(bulk) = self.bulk.remove(at) {
            self.bulk_bytes -= bulk.rest.len();
        }
        true
    }

    /// Whether what was queued at `position` is still here, not one byte of it handed over.
    pub(crate) fn still_holds(&self, position: Position) -> bool {
        position.0 >= self.taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.bulk.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.ready.len() + self.bulk_bytes
    }

    /// Bytes of encoded frames that wait, without what is left of long messages.
    pub(crate) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// Whether the next write is full: whoever can wait does. What is left of long messages does not count, since it is sent
    /// piece by piece after what is ready.
    pub(crate) fn is_full(&self) -> bool {
        self.ready.len() > WRITE_BYTES_TARGET
    }

    /// Whether something is being written.
    pub(crate) fn is_in_transit(&self) -> bool {
        self.in_transit
    }

    /// Moves what is to be written next into `out`, which is empty. False when nothing waits.
    pub(crate) fn take(&mut self, out: &mut BytesMut) -> bool {
        debug_assert!(out.is_empty(), "the driver asks for more only when all is written");
        while self.ready.len() < WRITE_BYTES_TARGET
            && let Some(bulk) = self.bulk.pop_front()
        {
            self.piece(bulk);
        }
        self.taken = self.queued;
        std::mem::swap(&mut self.ready, out);
        self.in_transit = !out.is_empty();
        self.in_transit
    }

    fn message(
        &mut self,
        kind: Kind,
        flag: u8,
        stream: StreamId,
        head_len: usize,
        head: impl FnOnce(&mut BytesMut),
        payload: &Bytes,
    ) {
        let (first, rest) = payload.split_at(payload.len().min(FRAME_PAYLOAD_MAX));
        let end = if rest.is_empty() { flags::END } else { 0 };
        let header = Header { kind, flags: flag | end, head_len, payload_len: first.len(), stream };
        self.put(header, head, first);
        if !rest.is_empty() {
            self.bulk_bytes += rest.len();
            self.bulk.push_back(Bulk { stream, rest: payload.slice_ref(rest), then: BytesMut::new() });
        }
    }

    /// Sends the next piece of a long message and queues the rest behind the others.
    fn piece(&mut self, mut bulk: Bulk) {
        let payload_len = bulk.rest.len().min(FRAME_PAYLOAD_MAX);
        let end = if payload_len == bulk.rest.len() { flags::END } else { 0 };
        let header = Header { flags: end, payload_len, ..Header::bare(Kind::Data, bulk.stream) };
        self.put(header, |_| (), &bulk.rest[..payload_len]);
        self.bulk_bytes -= payload_len;
        bulk.rest.advance(payload_len);
        if bulk.rest.is_empty() {
            self.raw(|out| out.extend_from_slice(&bulk.then));
        } else {
            self.bulk.push_back(bulk);
        }
    }

    fn put(&mut self, header: Header, head: impl FnOnce(&mut BytesMut), payload: &[u8]) {
        self.raw(|out| {
            out.extend_from_slice(&header.encode());
            head(out);
            out.extend_from_slice(payload);
        });
    }
}
