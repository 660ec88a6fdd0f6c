//! Random operations on both ends: whatever they do, each call ends once, as it should, and nothing is left behind.

mod streams;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::wire::audit::Held;

#[derive(Debug, Clone)]
enum Step {
    Open { bytes: usize, timeout_ms: Option<u16> },
    Close(prop::sample::Index),
    Answer { which: prop::sample::Index, bytes: usize },
    Transmit { from_client: bool, at_most: usize },
    Pass { millis: u16 },
    GoAway,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop_oneof![4 => 0..200usize, 1 => 0..300_000usize];
    let step = prop_oneof![
        8 => (bytes.clone(), prop::option::of(1..2000u16))
            .prop_map(|(bytes, timeout_ms)| Step::Open { bytes, timeout_ms }),
        2 => any::<prop::sample::Index>().prop_map(Step::Close),
        6 => (any::<prop::sample::Index>(), bytes).prop_map(|(which, bytes)| Step::Answer { which, bytes }),
        8 => (any::<bool>(), 1..100_000usize)
            .prop_map(|(from_client, at_most)| Step::Transmit { from_client, at_most }),
        2 => (1..500u16).prop_map(|millis| Step::Pass { millis }),
        1 => Just(Step::GoAway),
    ];
    prop::collection::vec(step, 1..80)
}

/// What a test knows of the calls.
#[derive(Default)]
struct Books {
    open: BTreeMap<StreamId, ()>,
    received: Vec<IncomingCall>,
    answered: BTreeMap<StreamId, usize>,
    wires: [BytesMut; 2],
}

impl Books {
    fn settle(&mut self, pair: &mut Pair) {
        for (id, result) in pair.client.answers() {
            assert!(self.open.remove(&id).is_some(), "{id:?} was answered twice, or after it was closed");
            match result {
                Ok(answer) => {
                    assert_eq!(answer, ok(vec![3; self.answered[&id]]), "the answer of another call");
                }
                Err(status) => {
                    assert!(matches!(status.reason(), Reason::Deadline | Reason::Draining), "{status}");
                }
            }
            pair.client.connection.close(id);
        }
        for output in pair.server.drain() {
            match output {
                Output::Called(call) => self.received.push(call),
                Output::Abandoned(id) => self.received.retain(|call| call.id != id),
                Output::Closed(reason) => panic!("the server closed: {reason}"),
                _ => {}
            }
        }
        pair.client.connection.audit();
        pair.server.connection.audit();
    }
}

fn run(steps: Vec<Step>) {
    let mut pair = Pair::new();
    let mut books = Books::default();
    for step in steps {
        match step {
            Step::Open { bytes, timeout_ms } => {
                let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
                if let Ok(id) = pair.client.connection.open(pair.now, &call(vec![1; bytes], timeout)) {
                    books.open.insert(id, ());
                }
            }
            Step::Close(which) => {
                if !books.open.is_empty() {
                    let id = *books.open.keys().nth(which.index(books.open.len())).unwrap();
                    books.open.remove(&id);
                    pair.client.connection.close(id);
                }
            }
            Step::Answer { which, bytes } => {
                if !books.received.is_empty() {
                    let call = books.received.remove(which.index(books.received.len()));
                    books.answered.insert(call.id, bytes);
                    pair.answer(&call, vec![3; bytes]);
                }
            }
            Step::Transmit { from_client, at_most } => {
                let side = if from_client { &mut pair.client } else { &mut pair.server };
                let wire = &mut books.wires[usize::from(from_client)];
                wire.extend_from_slice(&side.transmit());
                let piece = wire.split_to(wire.len().min(at_most));
                let to = if from_client { &mut pair.server } else { &mut pair.client };
                to.receive(pair.now, &piece);
            }
            Step::Pass { millis } => {
                pair.now += Duration::from_millis(millis.into());
                pair.client.connection.handle_timeout(pair.now);
                pair.server.connection.handle_timeout(pair.now);
            }
            Step::GoAway => pair.server.connection.go_away("test"),
        }
        books.settle(&mut pair);
    }
    finish(pair, books);
}

/// Delivers everything, answers everything: no call may be left, on either side.
fn finish(mut pair: Pair, mut books: Books) {
    for _ in 0..4 {
        let there = [books.wires[1].split(), pair.client.transmit()].concat();
        pair.server.receive(pair.now, &there);
        books.settle(&mut pair);
        for call in std::mem::take(&mut books.received) {
            books.answered.insert(call.id, 5);
            pair.answer(&call, vec![3; 5]);
        }
        let back = [books.wires[0].split(), pair.server.transmit()].concat();
        pair.client.receive(pair.now, &back);
        books.settle(&mut pair);
    }
    assert!(books.open.is_empty(), "calls without an end: {:?}", books.open.keys());
    assert!(pair.client.connection.is_idle() && pair.server.connection.is_idle());
    assert_eq!(pair.client.connection.audit(), Held::default(), "the client holds nothing");
    assert_eq!(pair.server.connection.audit(), Held::default(), "the server holds nothing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_call_ends_once_and_nothing_is_left(steps in steps()) {
        run(steps);
    }

    #[test]
    fn no_bytes_make_either_end_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), flip in any::<bool>()) {
        let mut pair = Pair::new();
        pair.open("in flight");
        let side = if flip { &mut pair.client } else { &mut pair.server };
        side.receive(pair.now, &bytes);
        side.connection.handle_timeout(pair.now + Duration::from_secs(60));
        side.collect();
    }

    #[test]
    fn damaged_conversations_end_and_never_panic(at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut pair = Pair::new();
        for n in 0..5 {
            pair.open(vec![n; 40]);
        }
        let mut sent = pair.client.transmit();
        let at = at.index(sent.len());
        sent[at] = value;
        pair.server.receive(pair.now, &sent);
        for call in pair.server.called() {
            pair.answer(&call, "fine");
        }
        let back = pair.server.transmit();
        pair.client.receive(pair.now, &back);
    }
}
