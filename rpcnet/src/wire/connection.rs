//! One end of a connection: hello, calls of both ends, pings, and how it ends.

use std::{collections::VecDeque, time::Instant};

use bytes::BytesMut;

use super::{
    accepted::{Accepted, Step},
    decode::{Frame, take_frame},
    frame::Kind,
    hello::Hello,
    keepalive::{Keepalive, Silence, Watch},
    limits::{Limits, STREAM_WINDOW_MIN},
    opened::{Came, Ended, Opened},
    outbox::Outbox,
    output::{CloseReason, Output},
    stream_id::StreamId,
};
use crate::{
    codec::Codec,
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
    pub(super) limits: Limits,
    pub(super) state: State,
    pub(super) opened: Opened,
    pub(super) accepted: Accepted,
    pub(super) outbox: Outbox,
    pub(super) keepalive: Keepalive,
    /// This end takes no new calls.
    leaving: bool,
    /// The last ping that is not answered. One is enough however many came.
    pong: Option<StreamId>,
    pub(super) outputs: VecDeque<Output>,
    /// Streams whose writers wait until less is waiting to be sent.
    pub(super) held_back: Vec<StreamId>,
}

#[derive(Debug)]
pub(super) enum State {
    /// The peer's hello is not in.
    Greeting {
        until: Instant,
    },
    Open(Peer),
    Closed,
}

/// What is known of the peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) hello: Hello,
    /// It takes no new calls.
    pub(super) going_away: bool,
}

impl Connection {
    pub(crate) fn new(role: Role, codec: Codec, limits: Limits, now: Instant) -> Self {
        // A connector serves no calls: whoever sends it one breaks the protocol.
        let calls_max = if role == Role::Connector { 0 } else { limits.calls_max.min(StreamId::SLOTS_MAX) };
        let streams_max = limits.streams_max.min(calls_max);
        let stream_window = limits.stream_window.max(STREAM_WINDOW_MIN);
        let limits = Limits { calls_max, streams_max, stream_window, ..limits };
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
            held_back: Vec::new(),
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
        if self.is_closed() {
            return;
        }
        if matches!(self.state, State::Greeting { until } if until <= now) {
            return self.fail(CloseReason::HandshakeTimeout);
        }
        for ended in self.opened.expire(now) {
            self.withdraw(ended.id());
            self.outputs.push_back(ended.output());
        }
        for due in self.accepted.expire(now) {
            if due.replied {
                self.outbox.end(due.id, Err(due.status));
            } else {
                self.refuse(due.id, due.status);
            }
            if due.running {
                self.outputs.push_back(Output::Abandoned(due.id));
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
        // `Closed` is the last output: whatever stops after it has been told.
        if self.outputs.is_empty() && !self.is_closed() {
            self.tell_stopped();
        }
        self.outputs.pop_front()
    }

    /// Whoever reads or writes a stream of a call that is over looks again. However often a peer ends its calls, each is told
    /// once.
    fn tell_stopped(&mut self) {
        if let Some(id) = self.opened.take_stopped() {
            self.outputs.push_back(Output::Writable(id));
        }
        if let Some(id) = self.accepted.take_stopped() {
            self.outputs.extend([Output::Readable(id), Output::Writable(id)]);
        }
    }

    /// Moves what is to be written next into `out`, which is empty. False when nothing is.
    pub(crate) fn poll_transmit(&mut self, out: &mut BytesMut) -> bool {
        if let Some(ping) = self.pong.take() {
            self.outbox.bare(Kind::Pong, ping);
        }
        let taken = self.outbox.take(out);
        self.let_go_on();
        taken
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

    pub(crate) fn has_output(&self) -> bool {
        let stopped = self.opened.has_stopped() || self.accepted.has_stopped();
        !self.outputs.is_empty() || (stopped && !self.is_closed())
    }

    /// Whether whoever drives the connection has something to do.
    pub(crate) fn needs_driver(&self) -> bool {
        self.has_transmit() || self.has_output()
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
        // Whoever is held back learns of the end; room for more means nothing any more.
        self.held_back.clear();
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
        let lost = Status::new(Reason::ConnectionLost, Executed::Yes, reason.to_string());
        self.outputs.extend(self.accepted.cut_all(&lost).into_iter().map(Output::Readable));
        while self.opened.has_stopped() || self.accepted.has_stopped() {
            self.tell_stopped();
        }
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
            Kind::Data | Kind::Pack | Kind::Reply if self.opened.owns(id) => {
                self.handle_answer(frame)?;
                Step::Wait
            }
            Kind::Finish | Kind::Reset => self.handle_end_of_items(&frame)?,
            Kind::Stop | Kind::Credit => {
                self.handle_flow(&frame)?;
                Step::Wait
            }
            Kind::Data | Kind::Pack => {
                let step = self.accepted.handle_data(frame, &self.limits)?;
                self.grant(id);
                step
            }
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
                self.handle_go_away(id, frame.payload());
                Step::Wait
            }
            Kind::Pong | Kind::Other => Step::Wait,
        };
        match step {
            Step::Wait => {}
            Step::Run(call) => self.outputs.push_back(Output::Called(call)),
            Step::Refuse(id, status) => self.refuse(id, status),
            Step::Abandon(id) => self.outputs.push_back(Output::Abandoned(id)),
            Step::Readable(id) => self.outputs.push_back(Output::Readable(id)),
            Step::Stop(id) => {
                self.outbox.bare(Kind::Stop, id);
                self.outputs.push_back(Output::Readable(id));
            }
        }
        Ok(())
    }

    fn handle_answer(&mut self, frame: Frame) -> Result<(), CloseReason> {
        let id = frame.header.stream;
        let complete = frame.header.has(super::frame::flags::END);
        match self.opened.handle_answer(frame, &self.limits)? {
            Came::Nothing => self.grant(id),
            Came::Items(id) => self.outputs.push_back(Output::Readable(id)),
            Came::Cut(id) => {
                self.withdraw(id);
                self.outputs.push_back(Output::Readable(id));
            }
            Came::Answer { id, result, items } => {
                // The arguments need not have been sent whole for an answer to come, nor the answer have been read whole.
                if self.outbox.abandon(id) || !complete {
                    self.outbox.bare(Kind::Cancel, id);
                }
                self.outputs.push_back(Output::Answered { id, result, items });
            }
        }
        Ok(())
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
        refused.iter().for_each(|ended| self.withdraw(ended.id()));
        self.answer(refused);
        self.outputs.push_back(Output::GoingAway);
    }

    fn answer(&mut self, ended: Vec<Ended>) {
        self.outputs.extend(ended.into_iter().map(Ended::output));
    }

    pub(super) fn peer_message_bytes_max(&self) -> u32 {
        match &self.state {
            State::Open(peer) => peer.hello.message_bytes_max,
            State::Greeting { .. } | State::Closed => 0,
        }
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

    pub(super) fn calls_under_way(&self) -> usize {
        self.opened.open_count() + self.accepted.live_count()
    }
}
