//! Bytes nobody should send: the connection ends with a reason, or the call does; nothing panics.

use super::{super::frame::*, *};

/// What a server says to raw bytes after a hello.
fn served(frames: &[&[u8]]) -> (Pair, Option<CloseReason>) {
    let mut pair = Pair::new();
    frames.iter().for_each(|frame| pair.server.receive(pair.now, frame));
    let closed = pair.server.closed();
    (pair, closed)
}

fn frame(kind: Kind, flag: u8, id: u64, head: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = Header {
        kind,
        flags: flag,
        head_len: head.len(),
        payload_len: payload.len(),
        stream: StreamId::from_bits(id),
    };
    [&header.encode()[..], head, payload].concat()
}

fn id(sequence: u64, slot: u32) -> u64 {
    StreamId::new(sequence, slot, false).unwrap().to_bits()
}

#[test]
fn whoever_does_not_speak_the_protocol_is_found_out_by_the_first_byte() {
    for greeting in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"\0", b"RpcX"] {
        let mut side = Side::new(Role::Acceptor, Limits::default(), Instant::now());
        side.receive(Instant::now(), greeting);
        assert_eq!(side.closed(), Some(CloseReason::NotThisProtocol), "{greeting:?}");
    }
}

#[test]
fn a_peer_of_another_version_is_told_which() {
    let mut side = Side::new(Role::Acceptor, Limits::default(), Instant::now());
    side.receive(Instant::now(), b"RpcN\x02\x09");
    assert_eq!(side.closed(), Some(CloseReason::VersionMismatch { theirs: (2, 9), ours: 1 }));
    assert!(side.transmit().starts_with(b"RpcN\x01\x01"), "the peer learns which it could speak");
}

#[test]
fn lengths_past_the_protocol_are_refused_before_anything_is_waited_for() {
    let mut header = Header::bare(Kind::Data, StreamId::from_bits(id(1, 0))).encode();
    header[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(served(&[&header]).1, Some(CloseReason::Violation(what)) if what.contains("65536")));
    header[0..4].copy_from_slice(&3u32.to_le_bytes());
    header[6..8].copy_from_slice(&4u16.to_le_bytes());
    assert!(matches!(served(&[&header]).1, Some(CloseReason::Violation(_))));
}

#[test]
fn a_call_with_a_broken_head_fails_alone() {
    let (mut pair, closed) = served(&[&frame(Kind::Call, flags::END, id(1, 0), b"short", b"")]);
    assert_eq!(closed, None);
    assert!(!pair.server.transmit().is_empty(), "an answer that says so");
    pair.server.receive(pair.now, &frame(Kind::Call, flags::END, id(2, 0), &[0; 20], b""));
    assert!(pair.server.transmit().len() > 16, "the connection goes on; a timeout of zero was refused");
}

/// Each pair is cheap to send and dear to keep; the same name again and again is none more.
#[test]
fn a_call_with_more_pairs_of_metadata_than_may_be_fails_alone() {
    let head = |names: Vec<String>| {
        let mut head = [&[0; 8][..], &u64::MAX.to_le_bytes(), &[0; 4]].concat();
        head.extend_from_slice(&(names.len() as u16).to_le_bytes());
        for name in names {
            head.extend_from_slice(&(name.len() as u16).to_le_bytes());
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(&[0, 0]);
        }
        head
    };
    let call = |sequence: u64, names: Vec<String>| {
        frame(Kind::Call, flags::END | flags::METADATA, id(sequence, 0), &head(names), b"")
    };
    let max = crate::Metadata::PAIRS_MAX;
    let distinct = |count: usize| (0..count).map(|n| n.to_string()).collect();
    let mut pair = Pair::new();
    for (sequence, names) in [(1, distinct(max + 1)), (2, vec!["same".to_owned(); max + 1])] {
        pair.server.receive(pair.now, &call(sequence, names));
        assert_eq!(pair.server.called().len(), 0, "call {sequence}");
        assert!(!pair.server.transmit().is_empty(), "an answer that says so");
    }
    pair.server.receive(pair.now, &call(3, distinct(max)));
    assert_eq!(pair.server.called().len(), 1, "as many as there may be");
}

#[test]
fn ids_out_of_order_taken_or_of_the_wrong_end_break_the_protocol() {
    let open = |id| frame(Kind::Call, flags::END, id, &[255; 20], b"");
    let wrong_end = StreamId::new(1, 0, true).unwrap().to_bits();
    for frames in [
        [open(id(2, 0)), open(id(1, 1))],
        [open(id(2, 0)), open(id(2, 0))],
        [open(id(1, 0)), open(id(2, 0))],
        [open(id(1, 0)), open(id(2, 8_000_000))],
        [open(id(1, 0)), open(id(2, 2))],
        [open(id(1, 0)), open(wrong_end)],
        [open(id(1, 0)), frame(Kind::Data, 0, id(1, 0), b"", b"after END")],
        [open(id(1, 0)), frame(Kind::Data, 0, id(7, 7), b"", b"of nothing")],
        [open(id(1, 0)), frame(Kind::Reply, 0, id(1, 0), b"", b"to its own call")],
    ] {
        let closed = served(&[&frames[0], &frames[1]]).1;
        assert!(matches!(closed, Some(CloseReason::Violation(_))), "{frames:?}: {closed:?}");
    }
}

#[test]
fn kinds_of_a_later_version_are_skipped_and_so_is_what_they_add_to_a_head() {
    let mut unknown = frame(Kind::Ping, 0, 9, b"", b"");
    unknown[4] = 200;
    let longer_head = [&u64::MAX.to_le_bytes()[..], &u64::MAX.to_le_bytes(), b"of a later version"].concat();
    let mut pair = Pair::new();
    pair.server.receive(pair.now, &unknown);
    pair.server.receive(pair.now, &frame(Kind::Call, flags::END, id(1, 0), &longer_head, b"payload"));
    assert_eq!(&pair.server.called()[0].payload[..], b"payload");
}

#[test]
fn a_flood_of_pings_is_answered_once_for_each_time_the_peer_reads() {
    let mut pair = Pair::new();
    for number in 0..10_000 {
        pair.client.receive(pair.now, &frame(Kind::Ping, 0, number, b"", b""));
    }
    assert_eq!(&pair.client.transmit()[..], frame(Kind::Pong, 0, 9_999, b"", b""));
}

#[test]
fn a_server_that_calls_its_client_breaks_the_protocol() {
    let mut pair = Pair::new();
    let by_acceptor = StreamId::new(1, 0, true).unwrap().to_bits();
    pair.client.receive(pair.now, &frame(Kind::Call, flags::END, by_acceptor, &[255; 16], b""));
    assert!(matches!(pair.client.closed(), Some(CloseReason::Violation(_))));
}

#[test]
fn cancels_and_answers_of_unknown_calls_are_not_looked_at() {
    let mut pair = Pair::new();
    pair.server.receive(pair.now, &frame(Kind::Cancel, 0, id(99, 99), b"", b""));
    pair.client.receive(pair.now, &frame(Kind::Reply, flags::END, id(99, 99), &[0], b"to nobody"));
    assert!(pair.server.drain().is_empty() && pair.client.drain().is_empty());
}

#[test]
fn an_answer_whose_head_says_nothing_known_fails_its_call_alone() {
    let mut pair = Pair::new();
    let opened = pair.open("");
    pair.exchange();
    pair.client.receive(pair.now, &frame(Kind::Reply, flags::END, opened.to_bits(), &[77], b""));
    let answers = pair.client.answers();
    assert_eq!(reason(&answers[0].1), (Reason::UndecodableAnswer, Executed::Unknown));
    assert!(pair.client.closed().is_none());
}
