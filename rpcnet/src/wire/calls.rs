//! Commands of a connection about calls: opening, closing, answering.

use std::time::Instant;

use bytes::Bytes;

use super::{
    connection::{Connection, Peer, State},
    flow::Flow,
    frame::Kind,
    head::{CallHead, ReplyHead},
    opened::OpenError,
    output::CloseReason,
    stream_id::StreamId,
};
use crate::{
    client::caller::Answer,
    status::{Executed, Reason, Status},
    time::later,
};

/// A call to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) head: CallHead,
    pub(crate) payload: Bytes,
}

impl Connection {
    /// Makes a call. Its answer comes as [`Output::Answered`](super::Output::Answered); whether or not it has come, `close`
    /// must follow.
    ///
    /// An error means that nothing was sent and nothing has to be closed.
    pub(crate) fn open(&mut self, now: Instant, call: &Call) -> Result<StreamId, Status> {
        let State::Open(peer) = &self.state else {
            return Err(Status::new(Reason::ConnectionLost, Executed::No, "the connection is not open"));
        };
        check(peer, call, self.opened.stream_count())?;
        if self.outbox.ready_len() > self.limits.queued_bytes_max {
            return Err(self.too_much_queued());
        }
        let window = peer.hello.stream_window;
        let id = match self.opened.next_id(peer.hello.calls_max) {
            Ok(id) => id,
            Err(error) => return Err(self.cannot_open(error)),
        };
        self.keepalive.owed(now, self.calls_under_way());
        let Call { head, payload } = call;
        let flow = head.streaming.then(|| Box::new(Flow::giving(head.items.then_some(window))));
        let deadline = head.timeout.map(|timeout| later(now, timeout));
        let queued_at = self.outbox.call(id, head, payload);
        self.opened.open(id, deadline, queued_at, flow);
        Ok(id)
    }

    /// Gives a call's slot back, and cancels the call if it has no answer yet, or its stream has not ended.
    pub(crate) fn close(&mut self, id: StreamId) {
        if self.opened.close(id) {
            self.withdraw(id);
        }
    }

    /// Answers a call of the peer; does nothing if the peer no longer waits for it. `items` says that a stream follows the
    /// answer: true is given back when it may.
    pub(crate) fn reply(&mut self, id: StreamId, result: Result<Answer, Status>, items: bool) -> bool {
        let State::Open(peer) = &self.state else { return false };
        let (window, message) = (peer.hello.stream_window, self.fit(result));
        let items = items && matches!(message.0, ReplyHead::Ok);
        if !self.accepted.reply(id, items.then_some(window)) {
            return false;
        }
        self.outbox.reply(id, message.0, &message.1, items);
        items
    }

    /// Tells the peer that nobody waits for a call of ours.
    pub(super) fn withdraw(&mut self, id: StreamId) {
        self.outbox.abandon(id);
        self.outbox.bare(Kind::Cancel, id);
    }

    /// Refuses a call that was not begun, or ends one that has no answer.
    pub(super) fn refuse(&mut self, id: StreamId, status: Status) {
        let (head, text) = ReplyHead::split(Err(status));
        self.outbox.reply(id, head, &text, false);
    }

    /// An answer as it can be sent: one that the client would not take, or that there is no room for, becomes a status.
    fn fit(&self, result: Result<Answer, Status>) -> (ReplyHead, Bytes) {
        let (mut head, mut payload) = ReplyHead::split(result);
        let max = self.peer_message_bytes_max();
        if payload.len() > max as usize && !head.is_status() {
            let message = format!(
                "the answer of {} bytes is larger than the {max} the client accepts (its `Limits::message_bytes_max`)",
                payload.len()
            );
            (head, payload) =
                ReplyHead::split(Err(Status::new(Reason::MessageTooLarge, Executed::Yes, message)));
        }
        let queued = self.outbox.len();
        if queued > 0 && queued + payload.len() > self.limits.queued_bytes_max {
            let message = format!(
                "{queued} bytes of answers wait because the client does not read; no more are kept for it \
                 (`Limits::queued_bytes_max`: {})",
                self.limits.queued_bytes_max
            );
            (head, payload) = ReplyHead::split(Err(Status::new(Reason::Overloaded, Executed::Yes, message)));
        }
        (head, payload)
    }

    fn cannot_open(&mut self, error: OpenError) -> Status {
        match error {
            OpenError::TooManyCalls => {
                let message = "as many calls are in flight on the connection as the server takes \
                               (its `Limits::calls_max`)";
                Status::new(Reason::TooManyCalls, Executed::No, message)
            }
            OpenError::Exhausted => {
                self.fail(CloseReason::Exhausted);
                Status::new(Reason::ConnectionLost, Executed::No, CloseReason::Exhausted.to_string())
            }
        }
    }

    fn too_much_queued(&self) -> Status {
        let message = format!(
            "{} bytes of calls wait to be sent and the server does not read; more are not queued \
             (`Limits::queued_bytes_max`: {})",
            self.outbox.ready_len(),
            self.limits.queued_bytes_max
        );
        Status::new(Reason::Overloaded, Executed::No, message)
    }
}

/// Whether the peer would take the call at all.
fn check(peer: &Peer, call: &Call, streams: u32) -> Result<(), Status> {
    if peer.going_away {
        return Err(Status::new(Reason::Draining, Executed::No, "the server takes no new calls"));
    }
    let max = peer.hello.message_bytes_max;
    if call.payload.len() > max as usize {
        let message = format!(
            "the arguments of {} bytes are larger than the {max} the server accepts (its `Limits::message_bytes_max`)",
            call.payload.len()
        );
        return Err(Status::new(Reason::MessageTooLarge, Executed::No, message));
    }
    if call.head.streaming && streams >= peer.hello.streams_max {
        let message = format!(
            "{streams} calls with streams are under way on the connection, as many as the server takes \
             (its `Limits::streams_max`)"
        );
        return Err(Status::new(Reason::TooManyCalls, Executed::No, message));
    }
    Ok(())
}
