//! Both ends, what is under way between them, and the books.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rpcnet::{
    CloseReason, Codec,
    fuzzing::{End, Event, NewCall},
};
use rpcnet_fuzz::{drain, small_limits, transmit};

use crate::{
    books::{Call, payload},
    steps::Step,
};

/// The longest item that is written: more than a window.
const ITEM_MAX: usize = 20_000;

/// The ends are named by whether they are the server's.
pub(crate) struct World {
    now: Instant,
    ends: [End; 2],
    /// What each end has sent and what of it has arrived and waits for the rest of a frame.
    wires: [BytesMut; 2],
    buffers: [BytesMut; 2],
    closed: [bool; 2],
    /// The transport is gone.
    lost: bool,
    calls: BTreeMap<u64, Call>,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let end = |connects| End::new(connects, Codec::Bincode, small_limits(), now);
        let (wires, buffers) = Default::default();
        let (ends, calls) = ([end(true), end(false)], BTreeMap::new());
        let mut world = Self { now, ends, wires, buffers, closed: [false; 2], lost: false, calls };
        world.deliver(true, usize::MAX);
        world.deliver(false, usize::MAX);
        for end in &mut world.ends {
            assert!(matches!(drain(end)[..], [Event::Ready(Codec::Bincode)]));
        }
        world
    }

    fn client(&mut self) -> &mut End {
        &mut self.ends[0]
    }

    fn server(&mut self) -> &mut End {
        &mut self.ends[1]
    }

    /// One of the calls for which this is so.
    fn pick(&self, which: u8, of: impl Fn(&Call) -> bool) -> Option<u64> {
        let ids: Vec<_> = self.calls.iter().filter(|(_, call)| of(call)).map(|(id, _)| *id).collect();
        (!ids.is_empty()).then(|| ids[usize::from(which) % ids.len()])
    }

    fn call(&mut self, id: u64) -> &mut Call {
        self.calls.get_mut(&id).expect("a call that was made")
    }

    pub(crate) fn run(&mut self, step: Step) {
        match step {
            Step::Open { bytes, timeout_ms, keyed, streaming, items } => {
                let request_id = keyed.then(|| uuid::Uuid::from_u128(self.calls.len() as u128));
                let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
                let payload = payload(1, bytes.count() % 200_000);
                let items = items && streaming;
                self.open(NewCall { payload, timeout, request_id, streaming, items });
            }
            Step::Close(which) => {
                if let Some(id) = self.pick(which, |call| !call.closed) {
                    self.close(id);
                }
            }
            Step::Reply { which, bytes, items } => {
                if let Some(id) = self.pick(which, |call| call.called && call.replied.is_none()) {
                    self.reply(id, bytes.map(|bytes| bytes.count() % 150_000), items);
                }
            }
            Step::Deliver { from_client, bytes } => self.deliver(from_client, bytes.count()),
            Step::Pass { millis } => self.pass(Duration::from_millis(millis.into())),
            Step::Progress { server } => {
                let now = self.now;
                self.ends[usize::from(server)].handle_progress(now);
            }
            Step::GoAway { server } => self.ends[usize::from(server)].go_away(),
            Step::Lose => self.lose(),
            step => self.stream(step),
        }
        self.settle();
    }

    fn stream(&mut self, step: Step) {
        match step {
            Step::Write { server, which, bytes, items } => {
                if let Some(id) = self.pick(which, |call| !server || call.called) {
                    self.write(server, id, bytes.count() % ITEM_MAX, items % 20);
                }
            }
            Step::Read { server, which } => {
                let readable = |call: &Call| if server { call.called } else { !call.closed };
                if let Some(id) = self.pick(which, readable) {
                    self.read(server, id);
                }
            }
            Step::Finish { server, which, whole } => {
                if let Some(id) = self.pick(which, |call| !server || call.called) {
                    self.ends[usize::from(server)].finish(id, whole);
                    self.call(id).streams[usize::from(server)].end(whole);
                }
            }
            Step::StopReading(which) => {
                if let Some(id) = self.pick(which, |call| call.called) {
                    self.server().stop_reading(id);
                    self.call(id).streams[0].read_to_the_end = true;
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, call: NewCall) {
        let (now, arguments) = (self.now, call.payload.len());
        let (request_id, streaming, items) = (call.request_id, call.streaming, call.items);
        if let Ok(id) = self.client().open(now, call) {
            let mut call = Call { arguments, request_id, streaming, ..Call::default() };
            call.streams[0].open = items;
            assert!(self.calls.insert(id, call).is_none(), "an id is used once");
        }
    }

    fn close(&mut self, id: u64) {
        self.client().close(id);
        self.call(id).closed = true;
    }

    fn reply(&mut self, id: u64, answer: Option<usize>, items: bool) {
        self.call(id).replied = Some(answer);
        let open = self.server().reply(id, answer.map(|bytes| payload(3, bytes)), items);
        self.call(id).streams[1].open = open;
    }

    fn write(&mut self, server: bool, id: u64, bytes: usize, items: u8) {
        let written = &self.calls[&id].streams[usize::from(server)];
        let (may_go_on, mut queue) = (written.may_go_on(), written.next(items, bytes));
        let outcome = self.ends[usize::from(server)].write(id, &mut queue);
        assert!(may_go_on || outcome.is_none(), "written to a stream that is not there");
        if outcome.is_none() {
            assert_eq!(queue.len(), usize::from(items), "nothing is taken that nobody wants");
        }
        let taken = usize::from(items) - queue.len();
        let written = &mut self.call(id).streams[usize::from(server)];
        written.taken(taken, bytes);
        // A window, what the reader has taken last, and an item that is larger than both.
        let bound = 2 * small_limits().stream_window as usize + ITEM_MAX + 16;
        assert!(taken == 0 || written.ahead() <= bound, "{} bytes ahead of the reader", written.ahead());
    }

    fn read(&mut self, server: bool, id: u64) {
        let (items, end) = self.ends[usize::from(server)].read(id);
        self.call(id).streams[usize::from(!server)].is_read(items, end);
    }

    fn deliver(&mut self, from_client: bool, bytes: usize) {
        let (from, to) = (usize::from(!from_client), usize::from(from_client));
        let sent = transmit(&mut self.ends[from]);
        if self.lost {
            return;
        }
        self.wires[from].extend_from_slice(&sent);
        if self.ends[to].wants_bytes() && !self.closed[to] {
            let piece = self.wires[from].split_to(bytes.min(self.wires[from].len()));
            self.buffers[to].extend_from_slice(&piece);
            self.ends[to].handle_bytes(self.now, &mut self.buffers[to]);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for end in &mut self.ends {
            end.handle_timeout(self.now);
            assert!(end.next_timeout().is_none_or(|at| at > self.now), "a timer that is due again at once");
        }
    }

    /// The connection breaks; what was under way is gone.
    fn lose(&mut self) {
        self.lost = true;
        for (end, buffer) in self.ends.iter_mut().zip(&self.buffers) {
            end.handle_end(buffer, true);
        }
    }

    fn settle(&mut self) {
        for server in [false, true] {
            for event in drain(&mut self.ends[usize::from(server)]) {
                self.happened(server, event);
            }
            self.ends[usize::from(server)].audit();
        }
        if self.closed != [false; 2] && !self.lost {
            self.lose();
            self.settle();
        }
    }

    fn happened(&mut self, server: bool, event: Event) {
        assert!(!self.closed[usize::from(server)], "{event:?} after the end");
        match event {
            Event::Called { id, payload, request_id, streaming, .. } => {
                self.call(id).is_called(&payload, request_id, streaming);
            }
            Event::Abandoned(id) => {
                assert!(self.call(id).called, "the server was not told of it");
                assert!(!self.server().is_running(id));
            }
            Event::Answered { id, result, items } => {
                assert!(!items || self.call(id).streaming, "a stream nobody asked for");
                self.call(id).is_answered(result);
            }
            Event::Closed(reason) => {
                let silent = matches!(reason, CloseReason::PeerSilent);
                let lost = matches!(reason, CloseReason::Broken(_)) && self.lost;
                assert!(silent || lost, "nobody breaks the protocol: {reason}");
                self.closed[usize::from(server)] = true;
                let open = self.calls.values().filter(|call| call.answered.is_none() && !call.closed).count();
                assert!(server || open == 0, "calls without an end");
            }
            Event::Readable(id) | Event::Writable(id) => assert!(self.call(id).streaming),
            Event::Ready(_) => panic!("ready twice"),
            Event::GoingAway => {}
        }
    }

    /// Delivers, answers, reads and closes everything: each call has had its end, and nothing is held at either end.
    pub(crate) fn finish(mut self) {
        for _ in 0..8 {
            // Whoever is not read from is read first.
            self.deliver(false, usize::MAX);
            self.deliver(true, usize::MAX);
            self.settle();
            let ids: Vec<_> = self.calls.keys().copied().collect();
            for id in ids {
                self.conclude(id);
            }
            self.settle();
        }
        for (id, call) in &self.calls {
            assert!(call.answered.is_some() || call.closed, "{id:#x} has no end: {call:?}");
        }
        let ids: Vec<_> = self.calls.keys().copied().collect();
        ids.into_iter().for_each(|id| self.close(id));
        for _ in 0..2 {
            self.deliver(true, usize::MAX);
            self.deliver(false, usize::MAX);
        }
        self.settle();
        if self.lost {
            self.ends.iter_mut().for_each(|end| drop(transmit(end)));
        }
        assert!(self.client().is_empty(), "the client holds nothing: {:?}", self.ends[0]);
        assert!(self.server().is_empty(), "the server holds nothing: {:?}", self.ends[1]);
        assert!(self.lost || self.ends.iter().all(End::is_idle), "both are idle");
    }

    /// The server answers, and all streams of the call end.
    fn conclude(&mut self, id: u64) {
        if self.calls[&id].called && self.calls[&id].replied.is_none() {
            self.reply(id, Some(5), false);
        }
        self.client().finish(id, false);
        self.server().finish(id, false);
        let call = self.call(id);
        call.streams.iter_mut().for_each(|written| written.end(false));
        if !call.closed {
            self.read(false, id);
        }
        if self.calls[&id].called {
            self.read(true, id);
        }
    }
}
