//! The bytes themselves. A change here is a change of the protocol.

use uuid::Uuid;

use super::*;

#[test]
fn hello() {
    let mut client = Side::new(Role::Connector, Limits::default(), Instant::now());
    assert_eq!(
        &client.transmit()[..],
        [
            b'R', b'p', b'c', b'N', // magic
            1, 1, 1, 0, // versions 1 to 1, bincode, reserved
            0, 0, 0, 1, // messages up to 16 MiB
            0, 0, 0, 0, // takes no calls
            0, 0, 0, 0, // nor streams
            0, 0, 4, 0, // of a stream, 256 KiB unread
            0, 0, // no extension
        ]
    );
}

#[test]
fn call_and_reply() {
    let mut pair = Pair::new();
    let request_id = Some(Uuid::from_bytes([0xab; 16]));
    let head = CallHead { request_id, fingerprint: 0x0403_0201, ..head(Some(Duration::from_millis(1))) };
    let call = Call { head, payload: "hi".into() };
    pair.client.connection.open(pair.now, call).unwrap();
    let sent = pair.client.transmit();
    let expected = [
        &[38, 0, 0, 0][..],        // head and payload
        &[1, 3],                   // CALL, END and KEYED
        &[36, 0],                  // head
        &[0, 0, 0, 1, 0, 0, 0, 0], // sequence 1, slot 0, of the connector
        &MethodId::of("echo").to_bits().to_le_bytes(),
        &[0xe8, 3, 0, 0, 0, 0, 0, 0], // 1000 µs
        &[1, 2, 3, 4],                // fingerprint
        &[0xab; 16],
        b"hi",
    ]
    .concat();
    assert_eq!(&sent[..], expected);
    pair.server.receive(pair.now, &sent);
    let calls = pair.server.called();
    pair.answer(&calls[0], "yo");
    let expected = [&[3, 0, 0, 0][..], &[3, 1], &[1, 0], &[0, 0, 0, 1, 0, 0, 0, 0], &[0], b"yo"].concat();
    assert_eq!(&pair.server.transmit()[..], expected);
}

#[test]
fn status() {
    let mut pair = Pair::new();
    pair.open("");
    pair.exchange();
    let calls = pair.server.called();
    let status =
        Status::new(Reason::Overloaded, Executed::No, "busy").retry_after(Duration::from_millis(258));
    pair.server.connection.reply(calls[0].id, Err(status), false);
    let expected = [
        &[12, 0, 0, 0][..],
        &[3, 1],
        &[8, 0],
        &[0, 0, 0, 1, 0, 0, 0, 0],
        &[3, 8, 0, 10, 2, 1, 0, 0],
        b"busy",
    ]
    .concat();
    assert_eq!(&pair.server.transmit()[..], expected);
}

#[test]
fn cancel_and_go_away() {
    let mut pair = Pair::new();
    let id = pair.open("");
    pair.exchange();
    pair.client.connection.close(id);
    assert_eq!(&pair.client.transmit()[..], [0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    pair.server.connection.go_away("bye");
    let expected = [&[3, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], b"bye"].concat();
    assert_eq!(&pair.server.transmit()[..], expected);
}

#[test]
fn trace_and_metadata() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let metadata = crate::Metadata::new().with("tenant", "acme").unwrap();
    let head = CallHead { trace: Some(trace), metadata: Some(metadata.into()), ..head(None) };
    let mut pair = Pair::new();
    pair.client.connection.open(pair.now, Call { head: head.clone(), payload: "hi".into() }).unwrap();
    let sent = pair.client.transmit();
    let expected = [
        &[61 + 2, 0, 0, 0][..],
        &[1, 1 + 16 + 32], // CALL, END, TRACED and METADATA
        &[61, 0],
        &[0, 0, 0, 1, 0, 0, 0, 0],
        &MethodId::of("echo").to_bits().to_le_bytes(),
        &[0xff; 8],    // no deadline
        &[0, 0, 0, 0], // no fingerprint
        &[0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36],
        &[0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7],
        &[1],    // sampled
        &[1, 0], // one pair
        &[6, 0],
        b"tenant",
        &[4, 0],
        b"acme",
        b"hi",
    ]
    .concat();
    assert_eq!(&sent[..], expected);
    pair.server.receive(pair.now, &sent);
    assert_eq!(pair.server.called()[0].head, head);
}

#[test]
fn streams() {
    let mut pair = Pair::new();
    let head = CallHead { streaming: true, items: true, ..head(None) };
    let id = pair.client.connection.open(pair.now, Call { head, payload: Bytes::new() }).unwrap();
    assert_eq!(pair.client.transmit()[4..6], [1, 1 + 4 + 8], "CALL, END, STREAMING and ITEMS");
    let bare = |kind: u8| [0, 0, 0, 0, kind, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    pair.client.connection.write(id, &mut ["hi".into()].into());
    let item = [&[2, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], b"hi"].concat();
    assert_eq!(&pair.client.transmit()[..], item, "DATA, END");
    pair.client.connection.finish(id, Ok(()));
    assert_eq!(&pair.client.transmit()[..], bare(8), "FINISH");
}

#[test]
fn reset_stop_and_credit() {
    let mut pair = Pair::new();
    let id = StreamId::new(1, 0, false).unwrap();
    let mut outbox = super::super::outbox::Outbox::default();
    outbox.end(id, Err(Status::new(Reason::StreamCut, Executed::Yes, "no")));
    outbox.bare(super::super::frame::Kind::Stop, id);
    outbox.credit(id, 258);
    let mut sent = BytesMut::new();
    outbox.take(&mut sent);
    let expected = [
        &[10, 0, 0, 0, 9, 1, 8, 0, 0, 0, 0, 1, 0, 0, 0, 0][..],
        &[3, 1, 2, 17, 0, 0, 0, 0],
        b"no",
        &[0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        &[4, 0, 0, 0, 11, 0, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        &[2, 1, 0, 0],
    ]
    .concat();
    assert_eq!(&sent[..], expected);
    // To a server that knows no such call they say nothing.
    pair.server.receive(pair.now, &sent);
    assert!(pair.server.drain().is_empty());
}
