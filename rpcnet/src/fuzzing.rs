//! What the fuzz targets in `tests/fuzz` reach of the protocol. There only when they are built.
//!
//! The types of `wire` are the crate's own; these stand in for them. They decide nothing.

use std::{collections::VecDeque, time::Instant};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::{
    Answer, CloseReason, Codec, Executed, Limits, MethodId, Reason, Status,
    wire::{
        self, CallHead, Connection, Output, Role, StreamId, Writing,
        flow::{Items, Reading},
    },
};

pub use crate::wire::raw::{Frame, HELLO_BYTES_MAX, WAITING_BYTES_MAX, reread_hello, take_frame};

/// The connecting or the accepting end of a connection.
#[derive(Debug)]
pub struct End(Connection);

/// A call to be made.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Its arguments.
    pub payload: Bytes,
    /// What is left of its deadline.
    pub timeout: Option<std::time::Duration>,
    /// Its request id.
    pub request_id: Option<Uuid>,
    /// Whether it is one with streams.
    pub streaming: bool,
    /// Whether its caller streams.
    pub items: bool,
}

/// What happened at an end.
#[derive(Debug)]
#[expect(missing_docs, reason = "as in `wire::Output`")]
pub enum Event {
    Ready(Codec),
    Called { id: u64, payload: Bytes, request_id: Option<Uuid>, streaming: bool, items: bool },
    Abandoned(u64),
    Answered { id: u64, result: Result<Bytes, Status>, items: bool },
    Readable(u64),
    Writable(u64),
    GoingAway,
    Closed(CloseReason),
}

/// What a reader found: items, and whether the stream is over.
pub type Read = (Vec<Bytes>, Option<Result<(), Status>>);

#[expect(missing_docs, reason = "as in `wire::Connection`")]
impl End {
    pub fn new(connects: bool, codec: Codec, limits: Limits, now: Instant) -> Self {
        let role = if connects { Role::Connector } else { Role::Acceptor };
        Self(Connection::new(role, codec, limits, now))
    }

    pub fn handle_bytes(&mut self, now: Instant, bytes: &mut BytesMut) {
        self.0.handle_bytes(now, bytes);
    }

    pub fn handle_end(&mut self, rest: &[u8], broken: bool) {
        self.0.handle_end(rest, broken.then(|| "as the fuzzer wants".to_owned()));
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }

    pub fn handle_progress(&mut self, now: Instant) {
        self.0.handle_progress(now);
    }

    pub fn open(&mut self, now: Instant, call: NewCall) -> Result<u64, Status> {
        let NewCall { payload, timeout, request_id, streaming, items } = call;
        let method = MethodId::of("Fuzz/call");
        let (trace, metadata) = (None, None);
        let head = CallHead {
            method,
            timeout,
            fingerprint: 0,
            request_id,
            repeat: None,
            trace,
            metadata,
            streaming,
            items,
        };
        self.0.open(now, &wire::Call { head, payload }).map(StreamId::to_bits)
    }

    pub fn close(&mut self, id: u64) {
        self.0.close(StreamId::from_bits(id));
    }

    pub fn reply(&mut self, id: u64, answer: Option<Bytes>, items: bool) -> bool {
        let refused = || Status::new(Reason::Panicked, Executed::Yes, "as the fuzzer wants");
        self.0.reply(StreamId::from_bits(id), answer.map(Answer::Ok).ok_or_else(refused), items)
    }

    pub fn go_away(&mut self) {
        self.0.go_away("as the fuzzer wants");
    }

    /// True when all of it is on its way, false when some waits, nothing when nobody wants it.
    pub fn write(&mut self, id: u64, items: &mut VecDeque<Bytes>) -> Option<bool> {
        let mut rest = items.drain(..).collect::<Items>();
        let writing = self.0.write(StreamId::from_bits(id), &mut rest);
        items.extend(std::iter::from_fn(|| rest.next()));
        match writing {
            Writing::Done => Some(true),
            Writing::Wait => Some(false),
            Writing::Gone => None,
        }
    }

    pub fn finish(&mut self, id: u64, whole: bool) {
        let cut = || Status::new(Reason::StreamCut, Executed::Yes, "as the fuzzer wants");
        self.0.finish(StreamId::from_bits(id), if whole { Ok(()) } else { Err(cut()) });
    }

    pub fn read(&mut self, id: u64) -> Read {
        let mut batch = Items::default();
        let end = match self.0.read(StreamId::from_bits(id), &mut batch) {
            Reading::Items | Reading::Nothing => None,
            Reading::Ended(end) => Some(end),
        };
        (std::iter::from_fn(|| batch.next()).collect(), end)
    }

    pub fn stop_reading(&mut self, id: u64) {
        self.0.stop_reading(StreamId::from_bits(id));
    }

    pub fn poll_output(&mut self) -> Option<Event> {
        Some(match self.0.poll_output()? {
            Output::Ready { codec } => Event::Ready(codec),
            Output::Called(call) => Event::Called {
                id: call.id.to_bits(),
                payload: call.payload,
                request_id: call.head.request_id,
                streaming: call.head.streaming,
                items: call.head.items,
            },
            Output::Abandoned(id) => Event::Abandoned(id.to_bits()),
            Output::Answered { id, result, items } => {
                let payload = |answer| match answer {
                    Answer::Ok(bytes) | Answer::App(bytes) | Answer::AppError(bytes) => bytes,
                };
                Event::Answered { id: id.to_bits(), result: result.map(payload), items }
            }
            Output::Readable(id) => Event::Readable(id.to_bits()),
            Output::Writable(id) => Event::Writable(id.to_bits()),
            Output::GoingAway => Event::GoingAway,
            Output::Closed(reason) => Event::Closed(reason),
        })
    }

    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> bool {
        self.0.poll_transmit(out)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.0.next_timeout()
    }

    pub fn wants_bytes(&self) -> bool {
        self.0.wants_bytes()
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    pub fn is_running(&self, id: u64) -> bool {
        self.0.is_running(StreamId::from_bits(id))
    }

    /// Counts what is held against the books and the limits. Gives the bytes that wait to be sent.
    pub fn audit(&self) -> usize {
        self.0.audit().unsent
    }

    /// Whether nothing at all is held.
    pub fn is_empty(&self) -> bool {
        self.0.audit() == wire::Held::default()
    }
}
