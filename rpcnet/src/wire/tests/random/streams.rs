//! Random operations on calls with streams: items arrive once and in order, nobody is ahead of the window, and nothing is
//! left behind.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::{prelude::*, sample::Index};

use super::super::*;
use crate::wire::{
    audit::Held,
    flow::{Items, Reading},
};

/// Small, so that it is often full.
const WINDOW: u32 = 8 << 10;

/// One of the two ends, and one of its calls.
type Where = (bool, Index);

#[derive(Debug, Clone)]
enum Step {
    Open { timeout_ms: Option<u16> },
    Reply { which: Index, stream: bool },
    Write { at: Where, bytes: usize, items: usize },
    Read { at: Where },
    Finish { at: Where, whole: bool },
    StopReading(Index),
    Close(Index),
    Transmit { from_client: bool, at_most: usize },
    Pass { millis: u16 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || any::<Where>();
    let bytes = prop_oneof![6 => 0..600usize, 1 => 0..40_000usize];
    let step = prop_oneof![
        3 => prop::option::weighted(0.2, 100..2000u16).prop_map(|timeout_ms| Step::Open { timeout_ms }),
        3 => (any::<Index>(), prop::bool::weighted(0.8)).prop_map(|(which, stream)| Step::Reply { which, stream }),
        10 => (at(), bytes, 1..20usize).prop_map(|(at, bytes, items)| Step::Write { at, bytes, items }),
        10 => at().prop_map(|at| Step::Read { at }),
        1 => (at(), any::<bool>()).prop_map(|(at, whole)| Step::Finish { at, whole }),
        1 => any::<Index>().prop_map(Step::StopReading),
        1 => any::<Index>().prop_map(Step::Close),
        12 => (any::<bool>(), 1..20_000usize)
            .prop_map(|(from_client, at_most)| Step::Transmit { from_client, at_most }),
        1 => (1..300u16).prop_map(|millis| Step::Pass { millis }),
    ];
    prop::collection::vec(step, 1..120)
}

/// What one end has written to a stream and the other has read.
#[derive(Default)]
struct Written {
    /// Numbers of the items handed over, not yet read.
    under_way: VecDeque<u32>,
    next: u32,
    ended: bool,
    read_to_the_end: bool,
}

/// What a test knows of one call: of its two streams, the client's and the server's.
#[derive(Default)]
struct Books {
    calls: BTreeMap<StreamId, [Written; 2]>,
    /// Calls the server has and has not answered.
    received: Vec<StreamId>,
    /// Calls the server has heard of.
    heard_of: BTreeSet<StreamId>,
    wires: [BytesMut; 2],
}

/// An item that says which it is.
fn item(number: u32, bytes: usize) -> Bytes {
    let mut item = number.to_le_bytes().to_vec();
    item.resize(bytes.max(4), 7);
    item.into()
}

struct World {
    pair: Pair,
    books: Books,
}

impl World {
    fn new() -> Self {
        let limits = Limits { stream_window: WINDOW, streams_max: 8, ..Limits::default() };
        Self { pair: Pair::with_limits(limits, limits), books: Books::default() }
    }

    fn pick(&self, which: &Index) -> Option<StreamId> {
        let count = self.books.calls.len();
        (count > 0).then(|| *self.books.calls.keys().nth(which.index(count)).unwrap())
    }

    fn end(&mut self, server: bool) -> &mut Connection {
        if server { &mut self.pair.server.connection } else { &mut self.pair.client.connection }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Open { timeout_ms } => self.open(timeout_ms),
            Step::Reply { which, stream } => {
                if !self.books.received.is_empty() {
                    let id = self.books.received.remove(which.index(self.books.received.len()));
                    self.pair.server.connection.reply(id, Ok(ok("")), stream);
                }
            }
            Step::Write { at: (server, which), bytes, items } => {
                if let Some(id) = self.pick(&which) {
                    self.write(server, id, bytes, items);
                }
            }
            Step::Read { at: (server, which) } => {
                if let Some(id) = self.pick(&which)
                    && (!server || self.books.heard_of.contains(&id))
                {
                    self.read(server, id);
                }
            }
            Step::Finish { at: (server, which), whole } => {
                if let Some(id) = self.pick(&which) {
                    let cut = Status::new(Reason::StreamCut, Executed::Yes, "as the test wants");
                    self.end(server).finish(id, if whole { Ok(()) } else { Err(cut) });
                    self.books.calls.get_mut(&id).unwrap()[usize::from(server)].ended = true;
                }
            }
            Step::StopReading(which) => {
                if let Some(id) = self.pick(&which)
                    && self.books.heard_of.contains(&id)
                {
                    self.pair.server.connection.stop_reading(id);
                    self.books.calls.get_mut(&id).unwrap()[0].read_to_the_end = true;
                }
            }
            Step::Close(which) => {
                if let Some(id) = self.pick(&which) {
                    self.pair.client.connection.close(id);
                    self.books.calls.remove(&id);
                }
            }
            Step::Transmit { from_client, at_most } => self.transmit(from_client, at_most),
            Step::Pass { millis } => {
                self.pair.now += Duration::from_millis(millis.into());
                self.pair.client.connection.handle_timeout(self.pair.now);
                self.pair.server.connection.handle_timeout(self.pair.now);
            }
        }
        self.settle();
    }

    fn open(&mut self, timeout_ms: Option<u16>) {
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let head = CallHead { streaming: true, items: true, ..head(timeout) };
        let call = Call { head, payload: Bytes::new() };
        if let Ok(id) = self.pair.client.connection.open(self.pair.now, &call) {
            self.books.calls.insert(id, <[Written; 2]>::default());
        }
    }

    fn write(&mut self, server: bool, id: StreamId, bytes: usize, items: usize) {
        let written = &self.books.calls[&id][usize::from(server)];
        if written.ended {
            return;
        }
        let first = written.next;
        let mut queue: Items = (0..items as u32).map(|n| item(first + n, bytes)).collect();
        self.end(server).write(id, &mut queue);
        let taken = (items - std::iter::from_fn(|| queue.next()).count()) as u32;
        let written = &mut self.books.calls.get_mut(&id).unwrap()[usize::from(server)];
        written.next += taken;
        written.under_way.extend(first..first + taken);
        // An item that is begun may be larger than the window: the one before it is not.
        let whole = written.under_way.len().saturating_sub(1) * (bytes.max(4) + 16);
        let bound = 2 * WINDOW as usize + 40_016;
        assert!(taken == 0 || bytes > 600 || whole <= bound, "{whole} bytes ahead");
    }

    /// Reads what there is at one end, of what the other has written.
    fn read(&mut self, server: bool, id: StreamId) {
        let mut batch = Items::default();
        let reading = self.end(server).read(id, &mut batch);
        let written = &mut self.books.calls.get_mut(&id).unwrap()[usize::from(!server)];
        let mut items = 0;
        while let Some(item) = batch.next() {
            items += 1;
            assert!(!written.read_to_the_end, "an item after the end");
            let number = u32::from_le_bytes(*item.first_chunk().unwrap());
            assert_eq!(Some(number), written.under_way.pop_front(), "in order, once");
        }
        match reading {
            Reading::Items => assert!(items > 0),
            Reading::Nothing => {}
            Reading::Ended(end) => {
                if end.is_ok() && !written.read_to_the_end {
                    assert!(written.ended && written.under_way.is_empty(), "complete means all of it");
                }
                written.read_to_the_end = true;
            }
        }
    }

    fn transmit(&mut self, from_client: bool, at_most: usize) {
        let Self { pair, books } = self;
        let side = if from_client { &mut pair.client } else { &mut pair.server };
        let wire = &mut books.wires[usize::from(from_client)];
        wire.extend_from_slice(&side.transmit());
        let piece = wire.split_to(wire.len().min(at_most));
        let to = if from_client { &mut pair.server } else { &mut pair.client };
        to.receive(pair.now, &piece);
    }

    fn settle(&mut self) {
        for output in self.pair.client.drain() {
            match output {
                Output::Closed(reason) => panic!("the client closed: {reason}"),
                Output::Answered { id, items: false, .. } => {
                    self.pair.client.connection.close(id);
                    self.books.calls.remove(&id);
                }
                _ => {}
            }
        }
        for output in self.pair.server.drain() {
            match output {
                Output::Called(call) => {
                    self.books.received.push(call.id);
                    self.books.heard_of.insert(call.id);
                }
                Output::Abandoned(id) => self.books.received.retain(|call| *call != id),
                Output::Closed(reason) => panic!("the server closed: {reason}"),
                _ => {}
            }
        }
        self.pair.client.connection.audit();
        self.pair.server.connection.audit();
    }

    /// Answers and closes everything: nothing may be left, on either side.
    fn finish(mut self) {
        for _ in 0..4 {
            self.transmit(true, usize::MAX);
            self.settle();
            for id in std::mem::take(&mut self.books.received) {
                self.pair.server.connection.reply(id, Ok(ok("")), false);
            }
            for id in self.books.calls.keys().copied().collect::<Vec<_>>() {
                self.pair.server.connection.finish(id, Ok(()));
            }
            self.transmit(false, usize::MAX);
            self.settle();
        }
        for id in std::mem::take(&mut self.books.calls).into_keys() {
            self.pair.client.connection.close(id);
        }
        self.transmit(true, usize::MAX);
        self.transmit(false, usize::MAX);
        self.settle();
        assert!(self.pair.client.connection.is_idle(), "the client is idle");
        assert!(self.pair.server.connection.is_idle(), "the server is idle");
        assert_eq!(self.pair.client.connection.audit(), Held::default(), "the client holds nothing");
        assert_eq!(self.pair.server.connection.audit(), Held::default(), "the server holds nothing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn items_arrive_once_and_in_order_and_nothing_is_left(steps in steps()) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.run(step));
        world.finish();
    }
}
