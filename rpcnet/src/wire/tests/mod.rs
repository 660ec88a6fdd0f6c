//! Two ends and a virtual clock: what one end transmits, the other is handed, in pieces as small as a test likes.

mod calls;
mod golden;
mod greedy;
mod hostile;
mod limits;
mod over;
mod packs;
mod random;
mod silence;
mod streams;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::*;
use crate::{
    client::caller::Answer,
    codec::Codec,
    descriptor::MethodId,
    status::{Executed, Reason, Status},
};

/// Both ends of a connection.
struct Pair {
    now: Instant,
    client: Side,
    server: Side,
}

/// One end, with what it has been sent and what it has said.
struct Side {
    connection: Connection,
    inbox: BytesMut,
    outputs: Vec<Output>,
}

impl Side {
    fn new(role: Role, limits: Limits, now: Instant) -> Self {
        let connection = Connection::new(role, Codec::Bincode, limits, now);
        Self { connection, inbox: BytesMut::new(), outputs: Vec::new() }
    }

    /// What the end wants to send now.
    fn transmit(&mut self) -> BytesMut {
        let mut all = BytesMut::new();
        let mut out = BytesMut::new();
        while self.connection.poll_transmit(&mut out) {
            all.extend_from_slice(&out.split());
        }
        all
    }

    fn receive(&mut self, now: Instant, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        self.connection.handle_bytes(now, &mut self.inbox);
        self.collect();
    }

    fn collect(&mut self) {
        self.outputs.extend(std::iter::from_fn(|| self.connection.poll_output()));
    }

    fn drain(&mut self) -> Vec<Output> {
        self.collect();
        std::mem::take(&mut self.outputs)
    }

    fn called(&mut self) -> Vec<IncomingCall> {
        let called = |output| match output {
            Output::Called(call) => Some(call),
            _ => None,
        };
        self.drain().into_iter().filter_map(called).collect()
    }

    fn answers(&mut self) -> Vec<(StreamId, Result<Answer, Status>)> {
        let answered = |output| match output {
            Output::Answered { id, result, .. } => Some((id, result)),
            _ => None,
        };
        self.drain().into_iter().filter_map(answered).collect()
    }

    fn closed(&mut self) -> Option<CloseReason> {
        self.drain().into_iter().find_map(|output| match output {
            Output::Closed(reason) => Some(reason),
            _ => None,
        })
    }
}

impl Pair {
    /// Two ends that have said hello.
    fn new() -> Self {
        Self::with_limits(Limits::default(), Limits::default())
    }

    fn with_limits(client: Limits, server: Limits) -> Self {
        let now = Instant::now();
        let (client, server) =
            (Side::new(Role::Connector, client, now), Side::new(Role::Acceptor, server, now));
        let mut pair = Self { now, client, server };
        pair.exchange();
        assert!(matches!(pair.client.drain()[..], [Output::Ready { codec: Codec::Bincode }]));
        assert!(matches!(pair.server.drain()[..], [Output::Ready { codec: Codec::Bincode }]));
        pair
    }

    /// Hands everything over, both ways, until both ends are silent.
    fn exchange(&mut self) {
        loop {
            let (there, back) = (self.client.transmit(), self.server.transmit());
            if there.is_empty() && back.is_empty() {
                return;
            }
            self.server.receive(self.now, &there);
            self.client.receive(self.now, &back);
        }
    }

    /// Lets time pass, one timeout after the other, delivering what they cause.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let next = [self.client.connection.next_timeout(), self.server.connection.next_timeout()];
            let next = next.into_iter().flatten().min().filter(|at| *at <= until);
            self.now = next.unwrap_or(until).max(self.now);
            self.client.connection.handle_timeout(self.now);
            self.server.connection.handle_timeout(self.now);
            self.exchange();
            if next.is_none() {
                return;
            }
        }
    }

    fn open(&mut self, payload: impl Into<Bytes>) -> StreamId {
        self.open_with(payload, Some(Duration::from_secs(10)))
    }

    fn open_with(&mut self, payload: impl Into<Bytes>, timeout: Option<Duration>) -> StreamId {
        self.client.connection.open(self.now, &call(payload, timeout)).expect("the connection is open")
    }

    fn answer(&mut self, call: &IncomingCall, payload: impl Into<Bytes>) {
        self.server.connection.reply(call.id, Ok(Answer::Ok(payload.into())), false);
    }
}

fn call(payload: impl Into<Bytes>, timeout: Option<Duration>) -> Call {
    Call { head: head(timeout), payload: payload.into() }
}

fn ok(payload: impl Into<Bytes>) -> Answer {
    Answer::Ok(payload.into())
}

fn reason(result: &Result<Answer, Status>) -> (Reason, Executed) {
    let status = result.as_ref().expect_err("a failure");
    (status.reason(), status.executed())
}

fn head(timeout: Option<Duration>) -> CallHead {
    CallHead {
        method: MethodId::of("echo"),
        timeout,
        fingerprint: 0,
        request_id: None,
        repeat: None,
        trace: None,
        metadata: None,
        streaming: false,
        items: false,
    }
}
