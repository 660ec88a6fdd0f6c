//! A message that arrives in pieces.

use bytes::{Bytes, BytesMut};

/// The pieces of a message so far.
///
/// A message of one piece is never copied. The pieces of a longer one are: a slice of the buffer they were read into would
/// keep all of that buffer, however small the slice.
#[derive(Debug, Default)]
pub(crate) struct Message {
    whole: Bytes,
    pieces: BytesMut,
}

impl Message {
    pub(crate) fn len(&self) -> usize {
        self.whole.len() + self.pieces.len()
    }

    pub(crate) fn push(&mut self, piece: Bytes, last: bool) {
        if last && self.pieces.is_empty() {
            self.whole = piece;
        } else {
            self.pieces.extend_from_slice(&piece);
        }
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.pieces.is_empty() { self.whole } else { self.pieces.freeze() }
    }
}
