//! Commands and frames of a connection about streams.

use bytes::Bytes;

use super::{
    accepted::Step,
    connection::Connection,
    decode::Frame,
    flow::{Flow, Items, Reading},
    frame::Kind,
    head::ReplyHead,
    output::{CloseReason, Output},
    stream_id::StreamId,
};
use crate::status::{Executed, Reason, Status};

/// How far a writer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// All of it is on its way.
    Done,
    /// The peer, or the network, takes no more for now. [`Output::Writable`] says when to go on.
    Wait,
    /// Nobody wants it any more.
    Gone,
}

impl Connection {
    /// Sends the items of a call's stream, from the front, as far as may be now.
    pub(crate) fn write(&mut self, id: StreamId, items: &mut Items) -> Writing {
        let max = self.peer_message_bytes_max() as usize;
        let Some(flow) = flow(&mut self.opened, &mut self.accepted, id) else { return Writing::Gone };
        if !flow.sending.is_open() {
            return Writing::Gone;
        }
        if self.outbox.has_rest(id) {
            // The message that the items follow goes first.
            self.hold_back(id);
            return Writing::Wait;
        }
        loop {
            flow.sending.advance(id, &mut self.outbox);
            if !flow.sending.is_ready() || self.outbox.is_full() {
                break;
            }
            match items.next_len() {
                Some(length) if length > max => return self.cut_too_large(id, max),
                Some(_) => flow.sending.begin(id, items, max, &mut self.outbox),
                None => return Writing::Done,
            }
        }
        if items.is_empty() && flow.sending.is_flushed() {
            return Writing::Done;
        }
        if self.outbox.is_full() {
            self.hold_back(id);
        }
        Writing::Wait
    }

    /// Ends a call's stream, after all of its items: complete, or cut. With a stream of the acceptor's its call is over.
    pub(crate) fn finish(&mut self, id: StreamId, end: Result<(), Status>) {
        let Some(flow) = flow(&mut self.opened, &mut self.accepted, id) else { return };
        if !flow.sending.is_open() {
            return;
        }
        flow.sending.close();
        self.outbox.end(id, end);
        self.accepted.finish(id);
    }

    /// Hands the reader of the peer's stream what has come, and grants more.
    pub(crate) fn read(&mut self, id: StreamId, items: &mut Items) -> Reading {
        let Some(flow) = flow(&mut self.opened, &mut self.accepted, id) else {
            return Reading::Ended(Err(call_is_over()));
        };
        let reading = flow.receiving.read(items);
        self.grant(id);
        reading
    }

    /// Lets the peer send more of its stream, if enough of it has been read.
    pub(super) fn grant(&mut self, id: StreamId) {
        let flow = flow(&mut self.opened, &mut self.accepted, id);
        if let Some(grant) = flow.and_then(|flow| flow.receiving.take_grant()) {
            self.outbox.credit(id, grant);
        }
    }

    /// Nobody reads the stream of a call of the peer any more.
    pub(crate) fn stop_reading(&mut self, id: StreamId) {
        if self.accepted.stop_reading(id) {
            self.outbox.bare(Kind::Stop, id);
        }
    }

    /// The peer's stream has ended.
    pub(super) fn handle_end_of_items(&mut self, frame: &Frame) -> Result<Step, CloseReason> {
        let id = frame.header.stream;
        let end = match frame.header.kind {
            Kind::Finish => Ok(()),
            _ => Err(reset_status(frame)?),
        };
        if !self.opened.owns(id) {
            return Ok(self.accepted.handle_end_of_items(id, end));
        }
        if self.opened.handle_end_of_items(id, end) {
            self.outputs.push_back(Output::Readable(id));
        }
        Ok(Step::Wait)
    }

    /// The peer says how much more of this end's stream it takes: some, or nothing any more.
    pub(super) fn handle_flow(&mut self, frame: &Frame) -> Result<(), CloseReason> {
        let id = frame.header.stream;
        let grant = match frame.header.kind {
            Kind::Credit => Some(credit(frame)?),
            _ => None,
        };
        let Some(flow) = flow(&mut self.opened, &mut self.accepted, id) else { return Ok(()) };
        match grant {
            Some(bytes) => flow.sending.handle_credit(id, bytes)?,
            None => flow.sending.close(),
        }
        self.outputs.push_back(Output::Writable(id));
        Ok(())
    }

    /// A writer is to go on when what waits to be sent has been handed over.
    fn hold_back(&mut self, id: StreamId) {
        if !self.held_back.contains(&id) {
            self.held_back.push(id);
        }
    }

    /// What was waiting to be sent has been handed over: writers that were held back go on.
    pub(super) fn let_go_on(&mut self) {
        if !self.held_back.is_empty() && !self.outbox.is_full() {
            self.outputs.extend(self.held_back.drain(..).map(Output::Writable));
        }
    }

    fn cut_too_large(&mut self, id: StreamId, max: usize) -> Writing {
        let message = format!(
            "an item of the stream is larger than the {max} bytes the peer accepts (its `Limits::message_bytes_max`)"
        );
        self.finish(id, Err(Status::new(Reason::MessageTooLarge, Executed::Yes, message)));
        Writing::Gone
    }
}

/// The streams of a call, whichever end made it.
fn flow<'c>(
    opened: &'c mut super::opened::Opened,
    accepted: &'c mut super::accepted::Accepted,
    id: StreamId,
) -> Option<&'c mut Flow> {
    if opened.owns(id) { opened.flow(id) } else { accepted.flow(id) }
}

fn call_is_over() -> Status {
    Status::new(Reason::StreamCut, Executed::Yes, "the call it belongs to is over")
}

fn reset_status(frame: &Frame) -> Result<Status, CloseReason> {
    let status = ReplyHead::decode(frame.head()).filter(|head| head.is_status());
    match status.map(|head| head.join(Bytes::copy_from_slice(frame.payload()))) {
        Some(Err(status)) => Ok(status),
        _ => {
            Err(CloseReason::violation(format_args!("a RESET of {:?} without a status", frame.header.stream)))
        }
    }
}

fn credit(frame: &Frame) -> Result<u32, CloseReason> {
    let bytes = frame.head().first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    bytes.ok_or_else(|| {
        CloseReason::violation(format_args!("a CREDIT for {:?} without a number", frame.header.stream))
    })
}
