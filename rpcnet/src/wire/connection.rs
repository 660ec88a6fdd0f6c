//! One end of a connection: hello, calls of both ends, pings, and how it ends.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::{
    accepted::{Accepted, Step},
    decode::{Frame, take_frame},
    frame::Kind,
    head::{CallHead, ReplyHead},
    hello::Hello,
    keepalive::{Keepalive, Silence, Watch},
    limits::Limits,
    opened::{Ended, OpenError, Opened},
    outbox::Outbox,
    output::{CloseReason, Output},
    stream_id::StreamId,
};
use crate::{
    client::caller::Answer,
    codec::Codec,
    descriptor::MethodId,
    status::{Executed, Reason, Status},
    time::later,
};

/// Which end of the connection this is. Both may make calls; the connector speaks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Connector,
    Acceptor,
}

/// One end of a connection. [The module](super) says how it is driven.
#[derive(Debug)]
pub(crate) struct Connection {
    role: Role,
    codec: Codec,
    limits: Limits,
    state: State,
    opened: Opened,
    accepted: Accepted,
    outbox: Outbox,
    keepalive: Keepalive,
    /// This end takes no new calls.
    leaving: bool,
    /// The last ping that is not answered. One is enough however many came.
    pong: Option<StreamId>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum State {
    /// The peer's hello is not in.
    Greeting {
        until: Instant,
    },
    Open(Peer),
    Closed,
}

/// What is known of the peer.
#[derive(Debug, Clone, Copy)]
struct Peer {
    hello: Hello,
    /// It takes no new calls.
    going_away: bool,
}

/// A call to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: MethodId,
    pub(crate) timeout: Option<Duration>,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) payload: Bytes,
}

impl Connection {
    pub(crate) fn new(role: Role, codec: Codec, limits: Limits, now: Instant) -> Self {
        // A connector serves no calls: whoever sends it one breaks the protocol.
        let calls_max = if role == Role::Connector { 0 } else { limits.calls_max.min(StreamId::SLOTS_MAX) };
        let limits = Limits { calls_max, ..limits };
        let mut outbox = Outbox::default();
        if role == Role::Connector {
            outbox.raw(|out| Hello::new(codec, &limits).encode(out));
        }
        Self {
            role,
            codec,
            state: State::Greeting { until: later(now, limits.handshake_timeout) },
            opened: Opened::new(role == Role::Acceptor),
            accepted: Accepted::new(role == Role::Connector),
            outbox,
            keepalive: Keepalive::new(now, &limits),
            leaving: false,
            pong: None,
            outputs: VecDeque::new(),
            limits,
        }
    }

    // ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Takes in what was read. What is left in `bytes` is the beginning of a frame.
    pub(crate) fn handle_bytes(&mut self, now: Instant, bytes: &mut BytesMut) {
        self.keepalive.heard(now);
        if let Err(reason) = self.take_in(now, bytes) {
            self.fail(reason);
        }
    }

    /// The transport is at its end. `rest` is what was read and not taken in.
    pub(crate) fn handle_end(&mut self, rest: &[u8], broken: Option<String>) {
        let cut_short = || "it ended in the middle of a frame".to_owned();
        let broken = broken.or_else(|| (!rest.is_empty()).then(cut_short));
        self.fail(broken.map_or(CloseReason::Ended, CloseReason::Broken));
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.state, State::Greeting { until } if until <= now) {
            return self.fail(CloseReason::HandshakeTimeout);
        }
        for (id, result) in self.opened.expire(now) {
            self.withdraw(id);
            self.outputs.push_back(Output::Answered { id, result });
        }
        for (id, status, running) in self.accepted.expire(now) {
            self.send_reply(id, Err(status));
            if running {
                self.outputs.push_back(Output::Abandoned(id));
            }
        }
        match self.keepalive.handle_timeout(now, self.watch()) {
            Silence::Bearable => {}
            Silence::Ask => self.outbox.bare(Kind::Ping, StreamId::from_bits(0)),
            Silence::TooLong => self.fail(CloseReason::PeerSilent),
        }
    }

    /// The transport took bytes again after it had taken none for a while: the peer reads.
    pub(crate) fn handle_progress(&mut self, now: Instant) {
        self.keepalive.progressed(now);
    }

    // ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Makes a call. Its answer comes as [`Output::Answered`]; whether or not it has come, `close` must follow.
    ///
    /// An error means that nothing was sent and nothing has to be closed.
    pub(crate) fn open(&mut self, now: Instant, call: Call) -> Result<StreamId, Status> {
        let State::Open(peer) = &self.state else {
            return Err(Status::new(Reason::ConnectionLost, Executed::No, "the connection is not open"));
        };
        check(peer, &call)?;
        if self.outbox.ready_len() > self.limits.queued_bytes_max {
            return Err(self.too_much_queued());
        }
        let id = match self.opened.next_id(peer.hello.calls_max) {
            Ok(id) => id,
            Err(error) => return Err(self.cannot_open(error)),
        };
        self.keepalive.owed(now, self.calls_under_way());
        let Call { method, timeout, request_id, payload } = call;
        let queued_at = self.outbox.call(id, &CallHead { method, timeout, request_id }, payload);
        self.opened.open(id, timeout.map(|timeout| later(now, timeout)), queued_at);
        Ok(id)
    }

    /// Gives a call's slot back, and cancels the call if it has no answer yet.
    pub(crate) fn close(&mut self, id: StreamId) {
        if self.opened.close(id) {
            self.withdraw(id);
        }
    }

    /// Answers a call of the peer; does nothing if the peer no longer waits for it.
    pub(crate) fn reply(&mut self, id: StreamId, result: Result<Answer, Status>) {
        if self.accepted.finish(id) {
            self.send_reply(id, result);
        }
    }

    /// Takes no new calls of the peer, and says so. Those under way go on.
    pub(crate) fn go_away(&mut self, why: &str) {
        match self.state {
            // Nobody was told yet that there is a connection.
            State::Greeting { .. } => self.fail(CloseReason::ShutDown),
            State::Open(_) if !std::mem::replace(&mut self.leaving, true) => {
                self.outbox.go_away(self.accepted.last_accepted(), why);
            }
            State::Open(_) | State::Closed => {}
        }
    }

    // ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// What happened, oldest first.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Moves what is to be written next into `out`, which is empty. False when nothing is.
    pub(crate) fn poll_transmit(&mut self, out: &mut BytesMut) -> bool {
        if let Some(ping) = self.pong.take() {
            self.outbox.bare(Kind::Pong, ping);
        }
        self.outbox.take(out)
    }

    /// When to call `handle_timeout`, if nothing else happens before.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let greeting = match self.state {
            State::Greeting { until } => Some(until),
            State::Open(_) => None,
            State::Closed => return None,
        };
        let keepalive = self.keepalive.next_timeout(self.watch());
        [greeting, keepalive, self.opened.next_timeout(), self.accepted.next_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn has_transmit(&self) -> bool {
        !self.outbox.is_empty() || self.pong.is_some()
    }

    /// Whether a call of the peer is to be run: it has neither been answered nor given up.
    pub(crate) fn is_running(&self, id: StreamId) -> bool {
        self.accepted.is_running(id)
    }

    /// False while the peer does not read its answers: then no more of its calls are read either. A connector always
    /// reads, or two ends could wait for each other.
    pub(crate) fn wants_bytes(&self) -> bool {
        self.role == Role::Connector || self.outbox.len() <= self.limits.unsent_bytes_max
    }

    /// Whether calls of this end may be opened.
    pub(crate) fn takes_calls(&self) -> bool {
        matches!(&self.state, State::Open(peer) if !peer.going_away)
    }

    /// Whether more than one call of this end is under way: whoever writes may expect more to write soon.
    pub(crate) fn is_busy(&self) -> bool {
        self.opened.open_count() > 1
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether the peer has taken in everything and owes nothing, and is owed nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls_under_way() == 0 && !self.has_transmit() && !self.outbox.is_in_transit()
    }

    /// Ends the connection: every call of this end ends now.
    pub(crate) fn fail(&mut self, reason: CloseReason) {
        if self.is_closed() {
            return;
        }
        self.state = State::Closed;
        let outbox = &self.outbox;
        let ended = self.opened.end_all(|_, queued_at| {
            let executed = if outbox.still_holds(queued_at) { Executed::No } else { Executed::Unknown };
            Some(Status::new(Reason::ConnectionLost, executed, reason.to_string()).caused_by(reason.clone()))
        });
        if self.role == Role::Connector {
            // What was just said not to have been sent must never be.
            self.outbox = Outbox::default();
        }
        self.answer(ended);
        self.outputs.push_back(Output::Closed(reason));
    }

    // ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────

    fn take_in(&mut self, now: Instant, bytes: &mut BytesMut) -> Result<(), CloseReason> {
        if matches!(self.state, State::Greeting { .. }) {
            match Hello::decode(bytes) {
                Ok(None) => return Ok(()),
                Ok(Some(hello)) => self.greet(hello)?,
                Err(reason) => return Err(self.part_with(reason)),
            }
        }
        while !self.is_closed()
            && let Some(frame) = take_frame(bytes)?
        {
            self.handle_frame(now, frame)?;
        }
        Ok(())
    }

    fn greet(&mut self, hello: Hello) -> Result<(), CloseReason> {
        match self.role {
            Role::Acceptor => {
                self.codec = hello.codec;
                let answer = Hello::new(self.codec, &self.limits);
                self.outbox.raw(|out| answer.encode(out));
            }
            Role::Connector if hello.codec != self.codec => return Err(CloseReason::CodecRefused),
            Role::Connector => {}
        }
        self.state = State::Open(Peer { hello, going_away: false });
        self.outputs.push_back(Output::Ready { codec: self.codec });
        Ok(())
    }

    /// A peer that speaks the protocol in a way this end does not is told how this end speaks it.
    fn part_with(&mut self, reason: CloseReason) -> CloseReason {
        if self.role == Role::Acceptor && reason != CloseReason::NotThisProtocol {
            let hello = Hello::new(self.codec, &self.limits);
            self.outbox.raw(|out| hello.encode(out));
        }
        reason
    }

    fn handle_frame(&mut self, now: Instant, frame: Frame) -> Result<(), CloseReason> {
        let id = frame.header.stream;
        let step = match frame.header.kind {
            Kind::Call => self.accepted.handle_call(now, frame, &self.limits, !self.leaving)?,
            Kind::Data | Kind::Reply if self.opened.owns(id) => {
                self.handle_answer(frame);
                Step::Wait
            }
            Kind::Data => self.accepted.handle_data(frame, &self.limits)?,
            Kind::Reply => {
                return Err(CloseReason::violation(format_args!("an answer to {id:?}, a call of its own")));
            }
            Kind::Cancel if self.opened.owns(id) => Step::Wait,
            Kind::Cancel => {
                // The answer may be on its way: what is left of it stays here.
                self.outbox.abandon(id);
                self.accepted.handle_cancel(id)
            }
            Kind::Ping => {
                self.pong = Some(id);
                Step::Wait
            }
            Kind::GoAway => {
                self.handle_go_away(id, &frame.payload);
                Step::Wait
            }
            Kind::Pong | Kind::Other => Step::Wait,
        };
        match step {
            Step::Wait => {}
            Step::Run(call) => self.outputs.push_back(Output::Called(call)),
            Step::Refuse(id, status) => self.send_reply(id, Err(status)),
            Step::Abandon(id) => self.outputs.push_back(Output::Abandoned(id)),
        }
        Ok(())
    }

    fn handle_answer(&mut self, frame: Frame) {
        let complete = frame.header.has(super::frame::flags::END);
        if let Some((id, result)) = self.opened.handle_answer(frame, self.limits.message_bytes_max) {
            // The arguments need not have been sent whole for an answer to come, nor the answer have been read whole.
            if self.outbox.abandon(id) || !complete {
                self.outbox.bare(Kind::Cancel, id);
            }
            self.outputs.push_back(Output::Answered { id, result });
        }
    }

    fn handle_go_away(&mut self, last_accepted: StreamId, why: &[u8]) {
        if let State::Open(peer) = &mut self.state {
            peer.going_away = true;
        }
        let why = String::from_utf8_lossy(why);
        let refused = self.opened.end_all(|id, _| {
            (id.sequence() > last_accepted.sequence()).then(|| {
                Status::new(Reason::Draining, Executed::No, format!("the server takes no new calls: {why}"))
            })
        });
        refused.iter().for_each(|(id, _)| self.withdraw(*id));
        self.answer(refused);
        self.outputs.push_back(Output::GoingAway);
    }

    fn answer(&mut self, ended: Vec<Ended>) {
        self.outputs.extend(ended.into_iter().map(|(id, result)| Output::Answered { id, result }));
    }

    /// Tells the peer that nobody waits for a call of ours.
    fn withdraw(&mut self, id: StreamId) {
        self.outbox.abandon(id);
        self.outbox.bare(Kind::Cancel, id);
    }

    fn send_reply(&mut self, id: StreamId, result: Result<Answer, Status>) {
        let State::Open(peer) = &self.state else { return };
        let (mut head, mut payload) = ReplyHead::split(result);
        let max = peer.hello.message_bytes_max;
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
        self.outbox.reply(id, head, payload);
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

    /// How closely the peer's silence is watched.
    fn watch(&self) -> Watch {
        match self.state {
            State::Open(_) if self.calls_under_way() > 0 || self.outbox.is_in_transit() => Watch::Closely,
            State::Open(_) if self.role == Role::Acceptor => Watch::NowAndThen,
            State::Open(_) => Watch::OnlyIfOwed,
            State::Greeting { .. } | State::Closed => Watch::Not,
        }
    }

    fn calls_under_way(&self) -> usize {
        self.opened.open_count() + self.accepted.live_count()
    }
}

/// Whether the peer would take the call at all.
fn check(peer: &Peer, call: &Call) -> Result<(), Status> {
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
    Ok(())
}
