//! Items that come in: gathered from their frames, kept until they are read, paid for with credit.

#[cfg(any(test, fuzzing))]
mod audit;

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    cost,
    items::{Items, TOGETHER_BELOW},
    pack::{self, Unpackable},
};
use crate::{
    status::{Executed, Reason, Status},
    wire::{
        decode::Frame,
        frame::{Kind, flags},
        limits::FRAME_PAYLOAD_MAX,
        message::Message,
        output::CloseReason,
        stream_id::StreamId,
    },
};

/// The receiving side of a stream.
///
/// ```text
///         FINISH, RESET, an error, the end of the call             read to the end
/// Open ──────────────────────────────────────────────────▶ Ended ─────────────────▶ (nothing left)
/// ```
///
/// Invariant: `credit` + `owed` + `partial_cost` + `unread` + `taken` is the window, while it is open.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    window: usize,
    /// What the peer may still send.
    credit: usize,
    /// What was read and is not granted anew yet.
    owed: usize,
    /// The cost of the items in the inbox.
    unread: usize,
    /// The cost of the items that the reader took last.
    taken: usize,
    /// An item whose end has not come, and the cost of the frames it came in so far.
    partial: Message,
    partial_cost: usize,
    inbox: VecDeque<Portion>,
    end: Option<Result<(), Status>>,
}

/// Items that a reader takes at once.
#[derive(Debug, Default)]
struct Portion {
    items: Items,
    cost: usize,
}

/// In what shares of the window items are handed to their reader, and credit is given back. What a reader took is paid back when
/// it comes for more: were that half of the window, let alone all of it, one end would often wait for the other.
const SHARES_OF_WINDOW: usize = 8;

/// What a reader found.
#[derive(Debug)]
pub(crate) enum Reading {
    /// Items, now in its hands.
    Items,
    /// Nothing yet.
    Nothing,
    /// Nothing any more: complete, or cut.
    Ended(Result<(), Status>),
}

impl Receiving {
    pub(crate) fn open(window: u32) -> Self {
        Self { window: window as usize, credit: window as usize, ..Self::default() }
    }

    /// Whether more may come.
    pub(crate) fn is_open(&self) -> bool {
        self.window > 0 && self.end.is_none()
    }

    /// How many bytes of an incomplete item are held.
    pub(crate) fn partial_len(&self) -> usize {
        self.partial.len()
    }

    /// A frame of an item. `Some` says that the stream cannot go on, and why; the peer is to be told to stop.
    pub(crate) fn handle_item(
        &mut self,
        frame: Frame,
        message_bytes_max: u32,
    ) -> Result<Option<Status>, CloseReason> {
        if !self.is_open() {
            // It crossed with the news that nobody reads.
            return Ok(None);
        }
        let (id, last, cost) =
            (frame.header.stream, frame.header.has(flags::END), cost(frame.header.payload_len));
        self.credit = self.credit.checked_sub(cost).ok_or_else(|| exceeded(id))?;
        if frame.header.kind == Kind::Pack {
            return self.take_pack(&frame, message_bytes_max, cost);
        }
        if self.partial.len() + frame.header.payload_len > message_bytes_max as usize {
            return Ok(Some(too_large(message_bytes_max)));
        }
        self.partial_cost += cost;
        if last {
            self.complete(frame.into_payload());
        } else {
            self.partial.push(frame.into_payload(), false);
            self.pay_for_the_partial();
        }
        Ok(None)
    }

    /// Items that came together.
    fn take_pack(
        &mut self,
        frame: &Frame,
        message_bytes_max: u32,
        cost: usize,
    ) -> Result<Option<Status>, CloseReason> {
        let id = frame.header.stream;
        if self.partial_cost > 0 || self.partial.len() > 0 {
            return Err(CloseReason::violation(format_args!("items of {id:?} in the middle of another")));
        }
        match pack::check(frame.payload(), message_bytes_max as usize) {
            Ok(()) => {
                self.portion(cost).push_pack(frame.payload());
                Ok(None)
            }
            Err(Unpackable::TooLarge) => Ok(Some(too_large(message_bytes_max))),
            Err(Unpackable::Malformed) => {
                Err(CloseReason::violation(format_args!("a pack of items of {id:?} that is no pack")))
            }
        }
    }

    /// Where items of this cost are kept.
    fn portion(&mut self, cost: usize) -> &mut Items {
        self.unread += cost;
        if self.inbox.back().is_none_or(|last| last.cost >= self.window / SHARES_OF_WINDOW) {
            self.inbox.push_back(Portion::default());
        }
        let last = self.inbox.len() - 1;
        self.inbox[last].cost += cost;
        &mut self.inbox[last].items
    }

    /// The last piece of an item is here.
    fn complete(&mut self, piece: Bytes) {
        let mut item = std::mem::take(&mut self.partial);
        item.push(piece, true);
        let cost = std::mem::take(&mut self.partial_cost);
        self.portion(cost).push(owned(item.finish()));
    }

    /// An item may be larger than the window. It goes on coming when its reader has nothing else to read.
    fn pay_for_the_partial(&mut self) {
        if self.unread == 0 && self.taken == 0 {
            self.owed += std::mem::take(&mut self.partial_cost);
        }
    }

    /// Hands the reader the next of what there is. What it took before, it has read.
    pub(crate) fn read(&mut self, items: &mut Items) -> Reading {
        debug_assert!(items.is_empty(), "a reader asks for more when it has read all");
        self.owed += std::mem::take(&mut self.taken);
        if let Some(portion) = self.inbox.pop_front() {
            *items = portion.items;
            self.taken = portion.cost;
            self.unread -= portion.cost;
            return Reading::Items;
        }
        self.pay_for_the_partial();
        match &self.end {
            Some(end) => Reading::Ended(end.clone()),
            None => Reading::Nothing,
        }
    }

    /// Takes the credit that is to be granted now, if there is enough of it.
    pub(crate) fn take_grant(&mut self) -> Option<u32> {
        if !self.is_open() || self.owed < self.window / SHARES_OF_WINDOW {
            return None;
        }
        let grant = std::mem::take(&mut self.owed);
        self.credit += grant;
        // It was part of a window of 32 bits.
        Some(grant as u32)
    }

    /// No more comes. What is unread can still be read; an item that is not complete is dropped.
    pub(crate) fn end(&mut self, end: Result<(), Status>) {
        if self.is_open() {
            let incomplete = self.partial.len() > 0 || self.partial_cost > 0;
            let end = if incomplete { end.and_then(|()| Err(incomplete_item())) } else { end };
            self.end = Some(end);
            self.partial = Message::default();
        }
    }

    /// Nobody reads any more.
    pub(crate) fn discard(&mut self) {
        self.end(Ok(()));
        self.inbox = VecDeque::new();
    }
}

/// As a slice, an item of one frame would keep the buffer it was read into, which has room for many: a window of unread items would
/// hold many times its size. A longer item was copied when it was put together, and a small one is among others.
fn owned(item: Bytes) -> Bytes {
    match item.len() {
        TOGETHER_BELOW..=FRAME_PAYLOAD_MAX => Bytes::copy_from_slice(&item),
        _ => item,
    }
}

fn exceeded(id: StreamId) -> CloseReason {
    CloseReason::violation(format_args!("an item of {id:?} exceeds the credit that was granted"))
}

fn too_large(max: u32) -> Status {
    let message =
        format!("an item is larger than the {max} bytes this end accepts (`Limits::message_bytes_max`)");
    Status::new(Reason::MessageTooLarge, Executed::Yes, message)
}

fn incomplete_item() -> Status {
    Status::new(Reason::StreamCut, Executed::Yes, "it ended in the middle of an item")
}
