//! The calls this end made: from `open` to the answer, and to `close`.

use std::time::Instant;

use super::{
    decode::Frame, frame::flags, head::ReplyHead, limits::STATUS_MESSAGE_MAX, message::Message,
    outbox::Position, stream_id::StreamId,
};
use crate::{
    client::caller::Answer,
    status::{Executed, Reason, Status},
};

/// The calls of this end, by slot.
///
/// ```text
///          open             answer, deadline, connection lost
/// Free ───────────▶ Open ────────────────────────────────────▶ Done
///   ▲                 │ close: CANCEL is sent                    │ close
///   └─────────────────┴──────────────────────────────────────────┘
/// ```
#[derive(Debug)]
pub(super) struct Opened {
    by_acceptor: bool,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sequence: u64,
    open: usize,
    /// No deadline of an open call is earlier. It may be stale, since a call that ends does not move it: thus a call costs
    /// no timer, and the price is one look at all calls when it is reached.
    earliest: Option<Instant>,
}

#[derive(Debug)]
enum Slot {
    Free,
    Open(Open),
    Done(StreamId),
}

#[derive(Debug)]
struct Open {
    id: StreamId,
    deadline: Option<Instant>,
    queued_at: Position,
    reply: Option<(ReplyHead, Message)>,
}

/// The end of a call.
pub(super) type Ended = (StreamId, Result<Answer, Status>);

impl Opened {
    pub(super) fn new(by_acceptor: bool) -> Self {
        Self { by_acceptor, slots: Vec::new(), free: Vec::new(), sequence: 0, open: 0, earliest: None }
    }

    pub(super) fn owns(&self, id: StreamId) -> bool {
        id.by_acceptor() == self.by_acceptor
    }

    pub(super) fn open_count(&self) -> usize {
        self.open
    }

    /// The id of the next call; `None` when the sequence numbers are used up.
    pub(super) fn next_id(&mut self, calls_max: u32) -> Result<StreamId, OpenError> {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None if self.slots.len() < calls_max as usize => self.slots.len() as u32,
            None => return Err(OpenError::TooManyCalls),
        };
        StreamId::new(self.sequence + 1, slot, self.by_acceptor).ok_or(OpenError::Exhausted)
    }

    /// Begins the call that `next_id` named.
    pub(super) fn open(&mut self, id: StreamId, deadline: Option<Instant>, queued_at: Position) {
        let open = Slot::Open(Open { id, deadline, queued_at, reply: None });
        if id.slot() == self.slots.len() {
            self.slots.push(open);
        } else {
            self.free.pop();
            self.slots[id.slot()] = open;
        }
        self.sequence = id.sequence();
        self.open += 1;
        self.earliest = self.earliest.into_iter().chain(deadline).min();
    }

    /// Gives the slot back. True when the call was still open, so that the peer must be told.
    pub(super) fn close(&mut self, id: StreamId) -> bool {
        let Some(slot) = self.slots.get_mut(id.slot()) else { return false };
        let was_open = match slot {
            Slot::Open(open) if open.id == id => true,
            Slot::Done(done) if *done == id => false,
            _ => return false,
        };
        *slot = Slot::Free;
        self.open -= usize::from(was_open);
        self.free.push(id.slot() as u32);
        was_open
    }

    /// A frame of an answer. An answer to a call that has ended is not looked at.
    pub(super) fn handle_answer(&mut self, frame: Frame, message_bytes_max: u32) -> Option<Ended> {
        let id = frame.header.stream;
        let Some(Slot::Open(open)) = self.slots.get_mut(id.slot()).filter(|slot| slot.is_open(id)) else {
            return None;
        };
        let end = frame.header.has(flags::END);
        let result = match open.take(frame, message_bytes_max) {
            Ok(()) if !end => return None,
            Ok(()) => open.reply.take().map(|(head, message)| head.join(message.finish()))?,
            Err(status) => Err(status),
        };
        self.done(id);
        Some((id, result))
    }

    /// The calls whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Ended> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let due = self.end_where(|open| {
            open.deadline.is_some_and(|deadline| deadline <= now).then(|| {
                Status::new(Reason::Deadline, Executed::Unknown, "the deadline passed before the answer came")
            })
        });
        self.earliest = self.open_calls().filter_map(|open| open.deadline).min();
        due
    }

    /// Ends every open call for which `why` gives a status.
    pub(super) fn end_all(
        &mut self,
        mut why: impl FnMut(StreamId, Position) -> Option<Status>,
    ) -> Vec<Ended> {
        self.end_where(|open| why(open.id, open.queued_at))
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.open == 0 { None } else { self.earliest }
    }

    fn open_calls(&self) -> impl Iterator<Item = &Open> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Open(open) => Some(open),
            Slot::Free | Slot::Done(_) => None,
        })
    }

    fn end_where(&mut self, mut why: impl FnMut(&Open) -> Option<Status>) -> Vec<Ended> {
        let ended: Vec<_> = self.open_calls().filter_map(|open| Some((open.id, Err(why(open)?)))).collect();
        ended.iter().for_each(|(id, _)| self.done(*id));
        ended
    }

    fn done(&mut self, id: StreamId) {
        self.slots[id.slot()] = Slot::Done(id);
        self.open -= 1;
    }
}

/// Why a call cannot be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OpenError {
    TooManyCalls,
    Exhausted,
}

impl Slot {
    fn is_open(&self, id: StreamId) -> bool {
        matches!(self, Slot::Open(open) if open.id == id)
    }
}

impl Open {
    /// Takes in a frame of the answer; fails when the answer can no longer be used.
    fn take(&mut self, frame: Frame, message_bytes_max: u32) -> Result<(), Status> {
        let (head, mut message) = match self.reply.take() {
            Some(reply) => reply,
            None => {
                let head = ReplyHead::decode(&frame.head).ok_or_else(|| {
                    let message = "the answer's head is none this version can read";
                    Status::new(Reason::UndecodableAnswer, Executed::Unknown, message)
                })?;
                (head, Message::default())
            }
        };
        let length = message.len() + frame.payload.len();
        let max = if head.is_status() { STATUS_MESSAGE_MAX } else { message_bytes_max as usize };
        if length > max {
            let message = format!(
                "the answer is larger than the {message_bytes_max} bytes this client accepts \
                 (`Limits::message_bytes_max`)"
            );
            return Err(Status::new(Reason::MessageTooLarge, Executed::Yes, message));
        }
        message.push(frame.payload, frame.header.has(flags::END));
        self.reply = Some((head, message));
        Ok(())
    }
}
