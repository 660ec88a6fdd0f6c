//! Streams against peers that mean harm, and beside calls that take all the room.

use super::{super::frame::*, *};
use crate::wire::flow::{Items, Reading};

fn streaming(pair: &mut Pair, payload: Vec<u8>) -> StreamId {
    let head = CallHead { streaming: true, items: true, ..head(None) };
    pair.client.connection.open(pair.now, &Call { head, payload: payload.into() }).unwrap()
}

fn read_all(side: &mut Side, id: StreamId) -> (Vec<Bytes>, Option<Result<(), Status>>) {
    let (mut batch, mut items) = (Items::default(), Vec::new());
    loop {
        match side.connection.read(id, &mut batch) {
            Reading::Items => items.extend(std::iter::from_fn(|| batch.next())),
            Reading::Nothing => return (items, None),
            Reading::Ended(end) => return (items, Some(end)),
        }
    }
}

fn frame(kind: Kind, flag: u8, id: StreamId, head: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = Header { kind, flags: flag, head_len: head.len(), payload_len: payload.len(), stream: id };
    [&header.encode()[..], head, payload].concat()
}

/// Also those whose arguments come in pieces.
#[test]
fn no_more_streams_than_allowed_however_their_arguments_come() {
    let mut pair = Pair::with_limits(Limits::default(), Limits { streams_max: 2, ..Limits::default() });
    let mut call_head = BytesMut::new();
    head(None).encode(&mut call_head);
    let ids: Vec<_> = (0..10).map(|n| StreamId::new(n + 1, n as u32, false).unwrap()).collect();
    for id in &ids {
        let call = frame(Kind::Call, flags::STREAMING | flags::ITEMS, *id, &call_head, b"a");
        pair.server.receive(pair.now, &call);
    }
    for id in &ids {
        pair.server.receive(pair.now, &frame(Kind::Data, flags::END, *id, &[], b"b"));
    }
    assert!(pair.server.called().len() <= 2, "as many as `streams_max`");
}

#[test]
fn a_stream_goes_on_between_the_pieces_of_long_answers() {
    let mut pair = Pair::new();
    let id = streaming(&mut pair, vec![]);
    let unary: Vec<_> = (0..40).map(|_| pair.open_with("", None)).collect();
    pair.exchange();
    pair.server.drain();
    pair.server.connection.reply(id, Ok(ok("")), true);
    let mut items: Items = std::iter::repeat_n(Bytes::from(vec![7; 1000]), 10).collect();
    let answers = unary.into_iter();
    let mut taken = 0;
    let mut out = BytesMut::new();
    let mut waits = 0;
    for next in answers {
        // The server keeps two megabytes of answers waiting, which is half of what it may.
        pair.server.connection.reply(next, Ok(ok(vec![1; 1 << 20])), false);
        while pair.server.connection.outbox.len() > 2 << 20 {
            pair.server.connection.poll_transmit(&mut out);
            taken += out.split().len();
            if !items.is_empty() {
                waits += 1;
                pair.server.connection.write(id, &mut items);
            }
        }
    }
    assert!(items.is_empty(), "{} bytes were sent in {waits} writes, of the stream none", taken);
}

/// A few bytes of credit must not turn into as many copies as there are items.
#[test]
fn credit_does_not_fill_the_outbox() {
    let client = Limits { stream_window: 4096, ..Limits::default() };
    let mut pair = Pair::with_limits(client, Limits::default());
    let ids: Vec<_> = (0..20).map(|_| streaming(&mut pair, vec![])).collect();
    pair.exchange();
    pair.server.drain();
    for id in &ids {
        pair.server.connection.reply(*id, Ok(ok("")), true);
        pair.server.connection.write(*id, &mut Items::from_iter([Bytes::from(vec![0; 16 << 20])]));
    }
    pair.server.transmit();
    for id in &ids {
        let credit = frame(Kind::Credit, 0, *id, &(20u32 << 20).to_le_bytes(), &[]);
        pair.server.receive(pair.now, &credit);
    }
    let len = pair.server.connection.outbox.len();
    assert!(len <= 64 << 20, "{len} bytes wait, from {} bytes received", ids.len() * 20);
}

#[test]
fn an_item_too_large_cuts_the_stream_after_the_items_before_it() {
    let limits = Limits { message_bytes_max: 1000, ..Limits::default() };
    let mut pair = Pair::with_limits(limits, limits);
    let id = streaming(&mut pair, vec![]);
    pair.exchange();
    let mut items = Items::from_iter([Bytes::from_static(b"small"), Bytes::from(vec![0; 1001])]);
    assert_eq!(pair.client.connection.write(id, &mut items), Writing::Gone);
    pair.exchange();
    let (items, end) = read_all(&mut pair.server, id);
    assert_eq!(end.unwrap().unwrap_err().reason(), Reason::MessageTooLarge);
    assert_eq!(items.len(), 1);
}

/// The buffer has room for many items: whoever kept one would keep it all.
#[test]
fn an_unread_item_keeps_nothing_of_the_buffer_it_was_read_into() {
    const READ: usize = 256 << 10;
    for length in [1, 16 << 10, 64 << 10] {
        let mut pair = Pair::new();
        let id = streaming(&mut pair, vec![]);
        pair.exchange();
        let mut bytes = BytesMut::with_capacity(READ);
        bytes.extend_from_slice(&frame(Kind::Data, flags::END, id, &[], &vec![7; length]));
        pair.server.connection.handle_bytes(pair.now, &mut bytes);
        assert!(bytes.try_reclaim(READ), "an item of {length} bytes keeps {READ}");
        assert_eq!(read_all(&mut pair.server, id).0, [vec![7; length]]);
    }
}
