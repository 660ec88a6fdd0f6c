//! What the micro-benchmarks reach of the protocol and of the records of keyed calls. Built for them alone; no part of the
//! interface.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use crate::{
    Answer, CacheLimits, Codec, Limits, MethodId, Status,
    idempotency::{Begin, Cache, Key, Keyed},
    wire::{Call, CallHead, Connection, Output, Role},
};

/// Both ends of a connection, without sockets: bytes are carried from one to the other by hand.
#[derive(Debug)]
pub struct Wire {
    client: Connection,
    server: Connection,
    bytes: BytesMut,
}

impl Wire {
    /// A connection that is open.
    pub fn new(now: Instant) -> Self {
        let end = |role| Connection::new(role, Codec::default(), Limits::default(), now);
        let mut wire =
            Self { client: end(Role::Connector), server: end(Role::Acceptor), bytes: BytesMut::new() };
        wire.carry(now);
        wire.answer(now);
        while wire.client.poll_output().is_some() {}
        wire
    }

    /// So many calls at once, which are answered with what they carry; how many bytes came back.
    pub fn echo(&mut self, now: Instant, calls: usize, payload: &Bytes) -> Result<usize, Status> {
        for _ in 0..calls {
            let head = CallHead {
                method: MethodId::of("Micro/echo"),
                timeout: Some(std::time::Duration::from_secs(10)),
                fingerprint: 0,
                request_id: None,
                repeat: None,
                trace: None,
                metadata: None,
                streaming: false,
                items: false,
            };
            self.client.open(now, &Call { head, payload: payload.clone() })?;
        }
        self.carry(now);
        self.answer(now);
        let mut came = 0;
        while let Some(output) = self.client.poll_output() {
            if let Output::Answered { id, result, .. } = output {
                came += result?.len();
                self.client.close(id);
            }
        }
        Ok(came)
    }

    /// What the client has to send, to the server.
    fn carry(&mut self, now: Instant) {
        while self.client.poll_transmit(&mut self.bytes) {
            self.server.handle_bytes(now, &mut self.bytes);
        }
    }

    /// Answers what has come, and carries the answers to the client.
    fn answer(&mut self, now: Instant) {
        while let Some(output) = self.server.poll_output() {
            if let Output::Called(call) = output {
                self.server.reply(call.id, Ok(Answer::Ok(call.payload)), false);
            }
        }
        while self.server.poll_transmit(&mut self.bytes) {
            self.client.handle_bytes(now, &mut self.bytes);
        }
    }
}

/// What a server remembers of keyed calls, in memory.
#[derive(Debug)]
pub struct Records(Arc<Cache>);

impl Records {
    /// None yet.
    pub fn new(now: Instant) -> Self {
        Self(Cache::new(CacheLimits::default(), None, now))
    }

    /// Looks a request up, and runs it if it is new, by answering what it carries. Whether it was new.
    pub fn call(&self, now: Instant, request_id: Uuid, arguments: &Bytes) -> bool {
        let key = Key { caller: None, method: MethodId::of("Micro/keyed"), request_id };
        let call = Keyed { key, codec: Codec::default(), arguments, repeat: None, reruns: false };
        let Begin::Run(ticket) = self.0.begin(now, &call) else { return false };
        let answer = Answer::Ok(arguments.clone());
        let finished = pin!(ticket.finish(Ok(&answer))).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(finished, Poll::Ready(()), "records in memory wait for nothing");
        true
    }
}
