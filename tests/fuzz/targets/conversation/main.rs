//! One end of a connection and a peer that sends what it likes after the handshake, while time passes and calls are made,
//! answered and given up: memory stays within the limits, nothing is told twice, and an end that is over says so once.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none conversation`

#![no_main]

mod steps;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use arbitrary::{Arbitrary, Unstructured};
use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use rpcnet::{
    Codec,
    fuzzing::{End, Event, NewCall},
};
use rpcnet_fuzz::{drain, small_limits, transmit};
use steps::Step;

/// What the end may have waiting to be sent beyond what its limits say: a write, and a frame of a stream.
const WRITE: usize = (256 + 64) << 10;

/// What is known of a call of the end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Open,
    Answered,
}

struct World {
    now: Instant,
    end: End,
    connects: bool,
    /// What the peer has sent, and what of it has arrived and waits for the rest of a frame.
    wire: BytesMut,
    buffer: BytesMut,
    /// The sequence number of the peer's last call.
    last: u64,
    opened: BTreeMap<u64, Call>,
    called: Vec<u64>,
    closed: bool,
    /// What arrived since all that was to be sent was taken.
    unanswered: usize,
}

/// What the peer says of itself, after its greeting.
#[derive(Debug, Arbitrary)]
struct Hello {
    connects: bool,
    message_bytes_max: u32,
    calls_max: u8,
    streams_max: u8,
    window: u32,
}

impl Hello {
    fn encode(&self) -> BytesMut {
        let mut bytes = BytesMut::from(&b"RpcN\x01\x01\x01\0"[..]);
        let limits = [self.message_bytes_max, self.calls_max.into(), self.streams_max.into()];
        limits.iter().for_each(|limit| bytes.extend_from_slice(&limit.to_le_bytes()));
        bytes.extend_from_slice(&self.window.max(4 << 10).to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }
}

impl World {
    fn new(hello: &Hello) -> Self {
        let (now, connects) = (Instant::now(), hello.connects);
        let mut end = End::new(connects, Codec::Bincode, small_limits(), now);
        end.handle_bytes(now, &mut hello.encode());
        transmit(&mut end);
        assert!(matches!(drain(&mut end)[..], [Event::Ready(Codec::Bincode)]));
        let (wire, buffer) = (BytesMut::new(), BytesMut::new());
        let (opened, called) = (BTreeMap::new(), Vec::new());
        Self { now, end, connects, wire, buffer, last: 0, opened, called, closed: false, unanswered: 0 }
    }

    /// One of the calls of either end, if there is one.
    fn pick(&self, which: u8, own: bool) -> Option<u64> {
        let which = usize::from(which);
        if own {
            self.opened.keys().nth(which % self.opened.len().max(1)).copied()
        } else {
            // Of the last ones: they are more likely to be there.
            self.called.iter().rev().nth(which % self.called.len().clamp(1, 12)).copied()
        }
    }

    fn run(&mut self, step: Step<'_>) {
        match step {
            Step::Raw(bytes) => self.wire.extend_from_slice(bytes),
            Step::Frame(frame) => self.wire.extend_from_slice(&frame.encode(&mut self.last, !self.connects)),
            Step::Deliver(bytes) => self.deliver(bytes.into()),
            Step::Pass { millis } => self.pass(millis),
            Step::Progress => self.end.handle_progress(self.now),
            Step::Transmit => self.transmit(),
            Step::Open { bytes, timeout_ms, streaming, items } => {
                let payload = Bytes::from(vec![1; bytes.into()]);
                let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
                let items = items && streaming;
                self.open(NewCall { payload, timeout, request_id: None, streaming, items });
            }
            Step::Close(which) => {
                if let Some(id) = self.pick(which, true) {
                    self.end.close(id);
                    self.opened.remove(&id);
                }
            }
            Step::Reply { which, answer, items } => {
                if let Some(id) = self.pick(which, false) {
                    let running = self.end.is_running(id);
                    let answer = answer.map(|bytes| vec![3; bytes.into()].into());
                    let streams = self.end.reply(id, answer, items);
                    assert!(running || !streams, "only a call that runs is answered");
                }
            }
            Step::GoAway => self.end.go_away(),
            Step::End { broken } => self.end.handle_end(&self.buffer, broken),
            step => self.stream(step),
        }
        self.settle();
    }

    fn stream(&mut self, step: Step<'_>) {
        match step {
            Step::Write { which, own, bytes, items } => {
                if let Some(id) = self.pick(which, own) {
                    let item = Bytes::from(vec![7; bytes.into()]);
                    let mut items = VecDeque::from(vec![item; usize::from(items % 20)]);
                    self.end.write(id, &mut items);
                }
            }
            Step::Finish { which, own, whole } => {
                self.pick(which, own).into_iter().for_each(|id| self.end.finish(id, whole));
            }
            Step::Read { which, own } => {
                if let Some(id) = self.pick(which, own) {
                    let (items, end) = self.end.read(id);
                    assert!(items.is_empty() || end.is_none(), "items come before the end");
                }
            }
            Step::StopReading(which) => {
                self.pick(which, false).into_iter().for_each(|id| self.end.stop_reading(id));
            }
            _ => {}
        }
    }

    /// As its driver does, the end is handed nothing while it wants nothing.
    fn deliver(&mut self, bytes: usize) {
        if self.end.wants_bytes() && !self.closed {
            let piece = self.wire.split_to(bytes.min(self.wire.len()));
            self.unanswered += piece.len();
            self.buffer.extend_from_slice(&piece);
            self.end.handle_bytes(self.now, &mut self.buffer);
        }
    }

    fn pass(&mut self, millis: u16) {
        self.now += Duration::from_millis(millis.into());
        self.end.handle_timeout(self.now);
        let next = self.end.next_timeout();
        assert!(next.is_none_or(|at| at > self.now), "a timer that is due again at once");
    }

    fn transmit(&mut self) {
        transmit(&mut self.end);
        self.unanswered = 0;
        assert!(!self.end.poll_transmit(&mut BytesMut::new()), "all of it was taken");
    }

    fn open(&mut self, call: NewCall) {
        if let Ok(id) = self.end.open(self.now, call) {
            assert!(!self.closed, "a call on a connection that is over");
            assert_eq!(self.opened.insert(id, Call::Open), None, "an id is used once");
        }
    }

    fn settle(&mut self) {
        for event in drain(&mut self.end) {
            assert!(!self.closed, "{event:?} after the connection was over");
            match event {
                Event::Ready(_) => panic!("ready twice"),
                Event::Called { id, .. } => {
                    assert!(
                        self.called.last().is_none_or(|last| *last >> 24 < id >> 24),
                        "a call told twice"
                    );
                    assert!(!self.connects, "a connector serves no calls");
                    self.called.push(id);
                }
                Event::Answered { id, .. } => {
                    let was = self.opened.insert(id, Call::Answered);
                    assert_eq!(was, Some(Call::Open), "a call is answered once, until it is closed");
                }
                Event::Abandoned(id) => assert!(self.called.contains(&id) && !self.end.is_running(id)),
                Event::Readable(_) | Event::Writable(_) | Event::GoingAway => {}
                Event::Closed(_) => {
                    self.closed = true;
                    let open = self.opened.values().filter(|call| **call == Call::Open).count();
                    assert_eq!(open, 0, "calls that were not answered");
                }
            }
        }
        assert_eq!(self.end.is_closed(), self.closed);
        let (unsent, limits) = (self.end.audit(), small_limits());
        // The calls of this end are limited in number; a refusal is longer than the call that is refused.
        let calls = self.opened.len() * 70_000 + 8 * limits.message_bytes_max as usize;
        let allowed = WRITE + limits.queued_bytes_max + calls + 32 * self.unanswered + 4096;
        assert!(unsent <= allowed, "{unsent} bytes wait to be sent, {allowed} may");
    }

    fn finish(mut self) {
        self.run(Step::Deliver(u16::MAX));
        self.run(Step::End { broken: false });
        assert!(self.closed, "a connection whose transport has ended is over");
        self.transmit();
        let ids: Vec<_> = self.opened.keys().copied().collect();
        ids.into_iter().for_each(|id| self.end.close(id));
        self.run(Step::Deliver(u16::MAX));
        self.pass(u16::MAX);
        assert!(drain(&mut self.end).is_empty() && transmit(&mut self.end).is_empty(), "it says no more");
        assert!(self.end.is_empty(), "nothing is held");
    }
}

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let Ok(hello) = Hello::arbitrary(&mut data) else { return };
    let mut world = World::new(&hello);
    while !data.is_empty()
        && let Ok(step) = Step::arbitrary(&mut data)
    {
        world.run(step);
    }
    world.finish();
});
