//! Items that have come and wait for their reader.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::wire::limits::FRAME_PAYLOAD_MAX;

/// Items under this size are copied together, larger ones each by itself: where one is kept, not many others are.
const TOGETHER_BELOW: usize = 16 << 10;

/// Items in order.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    small: BytesMut,
    items: VecDeque<Item>,
}

/// Where an item is.
#[derive(Debug)]
enum Item {
    /// The next so many bytes of those that were copied together.
    Small(usize),
    Large(Bytes),
}

impl Inbox {
    /// As a slice, an item of one frame would keep the buffer it was read into, which has room for many: a window of unread
    /// items would hold many times its size. A longer item was copied when it was put together.
    pub(super) fn push(&mut self, item: Bytes) {
        if item.len() < TOGETHER_BELOW {
            self.small.extend_from_slice(&item);
            self.items.push_back(Item::Small(item.len()));
        } else if item.len() <= FRAME_PAYLOAD_MAX {
            self.items.push_back(Item::Large(Bytes::copy_from_slice(&item)));
        } else {
            self.items.push_back(Item::Large(item));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Moves everything into a batch, which is empty.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        debug_assert!(batch.items.is_empty(), "a reader asks for more when it has read all");
        batch.small = self.small.split().freeze();
        std::mem::swap(&mut self.items, &mut batch.items);
    }
}

/// Items in the hands of their reader.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    small: Bytes,
    items: VecDeque<Item>,
}

impl Batch {
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        Some(match self.items.pop_front()? {
            Item::Small(length) => self.small.split_to(length),
            Item::Large(item) => item,
        })
    }
}
