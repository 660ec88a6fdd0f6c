//! A message that arrives in pieces.

use bytes::{Bytes, BytesMut};

/// The pieces of a message so far. A message of one frame is never copied.
#[derive(Debug, Default)]
pub(crate) struct Message {
    first: Bytes,
    rest: BytesMut,
}

impl Message {
    pub(crate) fn len(&self) -> usize {
        if self.rest.is_empty() { self.first.len() } else { self.rest.len() }
    }

    pub(crate) fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        if self.rest.is_empty() {
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&piece);
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}
