//! The calls this end made: from `open` to the answer and the end of its stream, and to `close`.

#[cfg(any(test, fuzzing))]
mod audit;

use std::time::Instant;

use bytes::Bytes;

use super::{
    decode::Frame,
    flow::{Flow, Receiving},
    frame::{Kind, flags},
    head::ReplyHead,
    limits::{Limits, STATUS_MESSAGE_MAX},
    message::Message,
    outbox::Position,
    output::{CloseReason, Output},
    stream_id::StreamId,
};
use crate::{
    client::caller::Answer,
    status::{Executed, Reason, Status},
};

/// The calls of this end, by slot.
///
/// ```text
///          open             answer, end of its stream, deadline, connection lost
/// Free ───────────▶ Open ──────────────────────────────────────────────────────▶ Done
///   ▲                 │ close: CANCEL is sent                                     │ close
///   └─────────────────┴──────────────────────────────────────────────────────────┘
/// ```
///
/// What has come of a stream can be read until `close`.
#[derive(Debug)]
pub(super) struct Opened {
    by_acceptor: bool,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sequence: u64,
    open: usize,
    /// Of the open ones, how many have streams.
    streams: u32,
    /// No deadline of an open call is earlier. It may be stale, since a call that ends does not move it: thus a call costs
    /// no timer, and the price is one look at all calls when it is reached.
    earliest: Option<Instant>,
    /// Calls that ended while this end was streaming: their writers are to know.
    stopped: Vec<StreamId>,
}

#[derive(Debug)]
enum Slot {
    Free,
    Open(Open),
    Done { id: StreamId, flow: Option<Box<Flow>> },
}

#[derive(Debug)]
struct Open {
    id: StreamId,
    deadline: Option<Instant>,
    queued_at: Position,
    /// What has come of an answer of several frames. In a box, since most are one.
    reply: Option<Box<(ReplyHead, Message)>>,
    /// Its answer has come, and its stream is coming.
    answered: bool,
    /// Of a call with streams.
    flow: Option<Box<Flow>>,
}

/// The end of a call, or of the stream that followed its answer.
#[derive(Debug)]
pub(super) enum Ended {
    Answered(StreamId, Result<Answer, Status>),
    Cut(StreamId),
}

impl Ended {
    pub(super) fn id(&self) -> StreamId {
        match self {
            Ended::Answered(id, _) | Ended::Cut(id) => *id,
        }
    }

    pub(super) fn output(self) -> Output {
        match self {
            Ended::Answered(id, result) => Output::Answered { id, result, items: false },
            Ended::Cut(id) => Output::Readable(id),
        }
    }
}

/// What a frame of an answer leads to.
#[derive(Debug)]
pub(super) enum Came {
    /// Nothing yet.
    Nothing,
    /// The answer is whole, or cannot be used. `items` says that its stream begins.
    Answer { id: StreamId, result: Result<Answer, Status>, items: bool },
    /// Items can be read.
    Items(StreamId),
    /// The stream was cut at this end.
    Cut(StreamId),
}

impl Opened {
    pub(super) fn new(by_acceptor: bool) -> Self {
        Self {
            by_acceptor,
            slots: Vec::new(),
            free: Vec::new(),
            sequence: 0,
            open: 0,
            streams: 0,
            earliest: None,
            stopped: Vec::new(),
        }
    }

    pub(super) fn owns(&self, id: StreamId) -> bool {
        id.by_acceptor() == self.by_acceptor
    }

    pub(super) fn open_count(&self) -> usize {
        self.open
    }

    /// The id of the next call.
    pub(super) fn next_id(&mut self, calls_max: u32) -> Result<StreamId, OpenError> {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None if self.slots.len() < calls_max as usize => self.slots.len() as u32,
            None => return Err(OpenError::TooManyCalls),
        };
        StreamId::new(self.sequence + 1, slot, self.by_acceptor).ok_or(OpenError::Exhausted)
    }

    /// A call that ended while this end was streaming.
    pub(super) fn take_stopped(&mut self) -> Option<StreamId> {
        self.stopped.pop()
    }

    pub(super) fn has_stopped(&self) -> bool {
        !self.stopped.is_empty()
    }

    /// How many calls with streams are open.
    pub(super) fn stream_count(&self) -> u32 {
        self.streams
    }

    /// Begins the call that `next_id` named.
    pub(super) fn open(
        &mut self,
        id: StreamId,
        deadline: Option<Instant>,
        queued_at: Position,
        flow: Option<Box<Flow>>,
    ) {
        self.streams += u32::from(flow.is_some());
        let open = Slot::Open(Open { id, deadline, queued_at, reply: None, answered: false, flow });
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
        let was_open = match self.slots.get(id.slot()) {
            Some(Slot::Open(open)) if open.id == id => true,
            Some(Slot::Done { id: done, .. }) if *done == id => false,
            _ => return false,
        };
        if was_open {
            self.done(id);
        }
        self.slots[id.slot()] = Slot::Free;
        self.free.push(id.slot() as u32);
        was_open
    }

    /// The streams of a call, until it is closed.
    pub(super) fn flow(&mut self, id: StreamId) -> Option<&mut Flow> {
        match self.slots.get_mut(id.slot())? {
            Slot::Open(open) if open.id == id => open.flow.as_deref_mut(),
            Slot::Done { id: done, flow } if *done == id => flow.as_deref_mut(),
            _ => None,
        }
    }

    /// A frame of an answer, or of the stream after it. One of a call that has ended is not looked at.
    pub(super) fn handle_answer(&mut self, frame: Frame, limits: &Limits) -> Result<Came, CloseReason> {
        let id = frame.header.stream;
        let Some(Slot::Open(open)) = self.slots.get_mut(id.slot()).filter(|slot| slot.is_open(id)) else {
            return Ok(Came::Nothing);
        };
        if open.answered {
            return self.handle_item(frame, limits);
        }
        if frame.header.kind == Kind::Pack {
            return Err(CloseReason::violation(format_args!("items of {id:?} before its answer")));
        }
        let items = open.items_follow(&frame);
        let result = match open.take(frame, limits.message_bytes_max) {
            Ok(None) => return Ok(Came::Nothing),
            Ok(Some((head, payload))) => head.join(payload),
            Err(status) => Err(status),
        };
        let items = items && result.is_ok() && open.begin_stream(limits.stream_window);
        if !items {
            self.done(id);
        }
        Ok(Came::Answer { id, result, items })
    }

    fn handle_item(&mut self, frame: Frame, limits: &Limits) -> Result<Came, CloseReason> {
        let (id, last) = (frame.header.stream, frame.ends_item());
        let Some(flow) = self.flow(id) else { return Ok(Came::Nothing) };
        match flow.receiving.handle_item(frame, limits.message_bytes_max)? {
            None if last => Ok(Came::Items(id)),
            None => Ok(Came::Nothing),
            Some(status) => {
                flow.receiving.end(Err(status));
                self.done(id);
                Ok(Came::Cut(id))
            }
        }
    }

    /// The peer's stream has ended, and the call with it. True if somebody may want to know.
    pub(super) fn handle_end_of_items(&mut self, id: StreamId, end: Result<(), Status>) -> bool {
        let Some(Slot::Open(open)) = self.slots.get_mut(id.slot()).filter(|slot| slot.is_open(id)) else {
            return false;
        };
        if !open.answered {
            return false;
        }
        open.flow.iter_mut().for_each(|flow| flow.receiving.end(end.clone()));
        self.done(id);
        true
    }

    /// The calls whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Ended> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let due = self.end_where(|open| {
            open.deadline.filter(|deadline| *deadline <= now)?;
            let message = if open.answered {
                "the deadline passed before the stream was complete"
            } else {
                "the deadline passed before the answer came"
            };
            Some(Status::new(Reason::Deadline, Executed::Unknown, message))
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
            Slot::Free | Slot::Done { .. } => None,
        })
    }

    fn end_where(&mut self, mut why: impl FnMut(&Open) -> Option<Status>) -> Vec<Ended> {
        let due: Vec<_> = self.open_calls().filter_map(|open| Some((open.id, why(open)?))).collect();
        due.into_iter().map(|(id, status)| self.end(id, status)).collect()
    }

    fn end(&mut self, id: StreamId, status: Status) -> Ended {
        let ended = match &mut self.slots[id.slot()] {
            Slot::Open(Open { answered: true, flow: Some(flow), .. }) => {
                // It has answered, so it has run.
                flow.receiving.end(Err(status.with_executed(Executed::Yes)));
                Ended::Cut(id)
            }
            _ => Ended::Answered(id, Err(status)),
        };
        self.done(id);
        ended
    }

    /// The call is over. What has come of its stream stays to be read.
    fn done(&mut self, id: StreamId) {
        if let Slot::Open(open) = std::mem::replace(&mut self.slots[id.slot()], Slot::Free) {
            let mut flow = open.flow;
            self.streams -= u32::from(flow.is_some());
            if let Some(flow) = &mut flow
                && flow.sending.is_open()
            {
                flow.sending.close();
                self.stopped.push(id);
            }
            self.slots[id.slot()] = Slot::Done { id, flow };
            self.open -= 1;
        }
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
    /// Whether a stream follows the answer that this frame begins, or goes on.
    fn items_follow(&mut self, frame: &Frame) -> bool {
        if self.reply.is_none() && frame.header.has(flags::ITEMS) {
            // Remembered where the stream is to be.
            self.flow.iter_mut().for_each(|flow| flow.announced = true);
        }
        self.flow.as_ref().is_some_and(|flow| flow.announced)
    }

    /// From now on the frames of the call are those of its stream.
    fn begin_stream(&mut self, window: u32) -> bool {
        let Some(flow) = &mut self.flow else { return false };
        flow.receiving = Receiving::open(window);
        self.answered = true;
        true
    }

    /// Takes in a frame of the answer, and gives it back when it is whole; fails when it can no longer be used.
    fn take(&mut self, frame: Frame, message_bytes_max: u32) -> Result<Option<(ReplyHead, Bytes)>, Status> {
        let head = match &self.reply {
            Some(reply) => reply.0,
            None => ReplyHead::decode(frame.head()).ok_or_else(|| {
                let message = "the answer's head is none this version can read";
                Status::new(Reason::UndecodableAnswer, Executed::Unknown, message)
            })?,
        };
        let length = self.reply.as_ref().map_or(0, |reply| reply.1.len()) + frame.header.payload_len;
        let max = if head.is_status() { STATUS_MESSAGE_MAX } else { message_bytes_max as usize };
        if length > max {
            let message = format!(
                "the answer is larger than the {message_bytes_max} bytes this client accepts \
                 (`Limits::message_bytes_max`)"
            );
            return Err(Status::new(Reason::MessageTooLarge, Executed::Yes, message));
        }
        let last = frame.header.has(flags::END);
        if last && self.reply.is_none() {
            return Ok(Some((head, frame.into_payload())));
        }
        let reply = self.reply.get_or_insert_with(|| Box::new((head, Message::default())));
        reply.1.push(frame.into_payload(), last);
        let whole = if last { self.reply.take() } else { None };
        Ok(whole.map(|reply| (reply.0, reply.1.finish())))
    }
}
