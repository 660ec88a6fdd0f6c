//! Items on their way out, as far as the peer's credit reaches.

use bytes::{Buf, Bytes};

use super::{cost, items::Items, pack};
use crate::wire::{
    frame::HEADER_BYTES, limits::FRAME_PAYLOAD_MAX, outbox::Outbox, output::CloseReason, stream_id::StreamId,
};

/// A piece of an item is not cut smaller than this for want of credit: the rest waits for more.
const PIECE_MIN: usize = 1 << 10;

/// The sending side of a stream.
///
/// ```text
///            finish, reset, STOP, the end of the call
/// Open ─────────────────────────────────────────────▶ Closed
/// ```
#[derive(Debug, Default)]
pub(crate) struct Sending {
    open: bool,
    credit: usize,
    /// What is left of an item whose beginning has been sent.
    rest: Option<Bytes>,
}

impl Sending {
    pub(crate) fn open(window: u32) -> Self {
        Self { open: true, credit: window as usize, rest: None }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether another item may be begun.
    pub(crate) fn is_ready(&self) -> bool {
        self.open && self.rest.is_none() && self.credit >= cost(PIECE_MIN)
    }

    /// Whether no item is half sent.
    pub(crate) fn is_flushed(&self) -> bool {
        self.rest.is_none()
    }

    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }

    /// Sends the next items together, if there are several small ones, or begins the next. For when it `is_ready`. None that is
    /// sent is longer than `longest`; the next is not.
    pub(crate) fn begin(&mut self, id: StreamId, items: &mut Items, longest: usize, outbox: &mut Outbox) {
        let room = FRAME_PAYLOAD_MAX.min(self.credit - HEADER_BYTES);
        let pack = items.front(room, longest);
        let (length, first) = (pack.len(), pack::first_len(pack));
        if first.is_some_and(|first| length > pack::LENGTH_BYTES + first) {
            outbox.pack(id, pack);
            self.credit -= cost(length);
            items.skip(length);
        } else {
            self.rest = items.next();
        }
    }

    /// The peer may be sent so much more.
    pub(crate) fn handle_credit(&mut self, id: StreamId, bytes: u32) -> Result<(), CloseReason> {
        if self.open {
            self.credit += bytes as usize;
        }
        if self.credit > u32::MAX as usize {
            return Err(CloseReason::violation(format_args!("the credit of {id:?} exceeds 4 GiB")));
        }
        Ok(())
    }

    /// Sends as much of the item begun as the credit allows, and the room for what is to be sent.
    pub(crate) fn advance(&mut self, id: StreamId, outbox: &mut Outbox) {
        while let Some(rest) = &mut self.rest {
            if outbox.is_full() || self.credit < cost(rest.len().min(PIECE_MIN)) {
                return;
            }
            let length = rest.len().min(FRAME_PAYLOAD_MAX).min(self.credit - HEADER_BYTES);
            let last = length == rest.len();
            outbox.item(id, &rest[..length], last);
            self.credit -= cost(length);
            rest.advance(length);
            if last {
                self.rest = None;
            }
        }
    }
}
