//! Small items that share a frame.

use super::*;
use crate::wire::{
    flow::{Items, Reading},
    frame::{Header, Kind},
};

/// A call whose two streams are open, with a window of 8 KiB.
fn streaming(limits: Limits) -> (Pair, StreamId) {
    let mut pair = Pair::with_limits(limits, limits);
    let head = CallHead { streaming: true, items: true, ..head(None) };
    let id = pair.client.connection.open(pair.now, &Call { head, payload: Bytes::new() }).unwrap();
    pair.exchange();
    assert!(pair.server.connection.reply(id, Ok(ok("")), true), "a stream may follow");
    pair.exchange();
    pair.client.drain();
    pair.server.drain();
    (pair, id)
}

fn window() -> Limits {
    Limits { stream_window: 8 << 10, ..Limits::default() }
}

fn read(side: &mut Side, id: StreamId) -> Vec<Bytes> {
    let (mut portion, mut items) = (Items::default(), Vec::new());
    while let Reading::Items = side.connection.read(id, &mut portion) {
        items.extend(std::iter::from_fn(|| portion.next()));
    }
    items
}

fn frame_of(kind: Kind, flags: u8, id: StreamId, payload: &[u8]) -> Vec<u8> {
    let header = Header { flags, payload_len: payload.len(), ..Header::bare(kind, id) };
    [&header.encode()[..], payload].concat()
}

fn pack(id: StreamId, payload: &[u8]) -> Vec<u8> {
    frame_of(Kind::Pack, 0, id, payload)
}

#[test]
fn a_pack_takes_what_the_credit_allows_and_the_rest_follows() {
    let (mut pair, id) = streaming(window());
    let mut items = Items::from_iter((0..300).map(|n| Bytes::from(vec![n as u8; 100])));
    assert_eq!(pair.server.connection.write(id, &mut items), Writing::Wait);
    let sent = pair.server.transmit();
    assert!(sent.len() <= 8 << 10 && sent.len() > (8 << 10) - 102, "{} bytes", sent.len());
    pair.client.receive(pair.now, &sent);
    let first = read(&mut pair.client, id);
    assert_eq!(first.len(), (sent.len() - 16) / 102, "one frame");
    let mut came = first;
    while came.len() < 300 {
        read(&mut pair.client, id).into_iter().for_each(|item| came.push(item));
        pair.exchange();
        pair.server.connection.write(id, &mut items);
        pair.exchange();
    }
    assert!(came.iter().enumerate().all(|(n, item)| item[..] == [n as u8; 100]));
}

#[test]
fn a_reader_in_the_middle_of_a_window_lets_its_writer_go_on() {
    let (mut pair, id) = streaming(window());
    let mut items = Items::from_iter((0..300).map(|_| Bytes::from(vec![7; 100])));
    for _ in 0..7 {
        // Not all of it in one frame: each write finds what was left.
        pair.server.connection.write(id, &mut Items::from_iter(std::iter::from_fn(|| items.next()).take(10)));
    }
    pair.exchange();
    let mut portion = Items::default();
    for _ in 0..2 {
        assert!(matches!(pair.client.connection.read(id, &mut portion), Reading::Items));
        while portion.next().is_some() {}
    }
    pair.exchange();
    let told = pair.server.drain();
    assert!(matches!(told[..], [Output::Writable(_)]), "after a portion of seven: {told:?}");
}

#[test]
fn large_and_small_items_keep_their_order() {
    let (mut pair, id) = streaming(Limits::default());
    let lengths = [0, 1, 20_000, 0, 100, 100, 70_000, 15, 16_384, 16_383, 3];
    let mut items = Items::from_iter(lengths.map(|length| Bytes::from(vec![7; length])));
    while pair.client.connection.write(id, &mut items) == Writing::Wait {
        pair.exchange();
    }
    pair.exchange();
    assert_eq!(read(&mut pair.server, id).iter().map(Bytes::len).collect::<Vec<_>>(), lengths);
}

#[test]
fn an_item_larger_than_the_peer_takes_cuts_the_stream_behind_those_before_it() {
    let limits = Limits { message_bytes_max: 50, ..Limits::default() };
    let (mut pair, id) = streaming(limits);
    let mut items = Items::from_iter([40, 50, 51, 1].map(|length| Bytes::from(vec![7; length])));
    assert_eq!(pair.server.connection.write(id, &mut items), Writing::Gone);
    pair.exchange();
    assert_eq!(read(&mut pair.client, id).iter().map(Bytes::len).collect::<Vec<_>>(), [40, 50]);
    let Reading::Ended(Err(status)) = pair.client.connection.read(id, &mut Items::default()) else {
        panic!("it is cut");
    };
    assert_eq!(status.reason(), Reason::MessageTooLarge);
}

#[test]
fn a_peer_that_packs_larger_items_than_this_end_takes_is_told_to_stop() {
    let (mut pair, id) = streaming(Limits { message_bytes_max: 2, ..Limits::default() });
    pair.server.receive(pair.now, &pack(id, b"\x01\0a\x03\0abc"));
    let Reading::Ended(Err(status)) = pair.server.connection.read(id, &mut Items::default()) else {
        panic!("it is cut");
    };
    assert_eq!(status.reason(), Reason::MessageTooLarge);
    assert_eq!(&pair.server.transmit()[..], frame_of(Kind::Stop, 0, id, b""));
}

#[test]
fn a_pack_that_is_none_breaks_the_protocol() {
    for wrong in [&b""[..], b"\x01", b"\x01\0", b"\x02\0a", b"\x01\0ab"] {
        let (mut pair, id) = streaming(Limits::default());
        pair.server.receive(pair.now, &pack(id, wrong));
        assert!(matches!(pair.server.closed(), Some(CloseReason::Violation(_))), "{wrong:?}");
    }
}

#[test]
fn a_pack_where_none_may_come_breaks_the_protocol() {
    let (mut pair, id) = streaming(Limits::default());
    pair.server.receive(pair.now, &frame_of(Kind::Data, 0, id, b"the first half"));
    pair.server.receive(pair.now, &pack(id, b"\x01\0a"));
    assert!(matches!(pair.server.closed(), Some(CloseReason::Violation(_))), "in the middle of an item");

    let mut pair = Pair::new();
    let head = CallHead { streaming: true, items: true, ..head(None) };
    let call = Call { head, payload: vec![1; 70_000].into() };
    let id = pair.client.connection.open(pair.now, &call).unwrap();
    let first = pair.client.transmit();
    pair.server.receive(pair.now, &first[..16 + 20 + 65_536]);
    pair.server.receive(pair.now, &pack(id, b"\x01\0a"));
    assert!(
        matches!(pair.server.closed(), Some(CloseReason::Violation(_))),
        "before the arguments are whole"
    );

    let mut pair = Pair::new();
    let id = pair.open("");
    pair.exchange();
    pair.client.receive(pair.now, &pack(id, b"\x01\0a"));
    assert!(matches!(pair.client.closed(), Some(CloseReason::Violation(_))), "before the answer");
}
