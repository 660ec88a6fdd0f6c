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
            0, 0, // no extension
        ]
    );
}

#[test]
fn call_and_reply() {
    let mut pair = Pair::new();
    let request_id = Some(Uuid::from_bytes([0xab; 16]));
    let call = Call { request_id, ..call("hi", Some(Duration::from_millis(1))) };
    pair.client.connection.open(pair.now, call).unwrap();
    let sent = pair.client.transmit();
    let expected = [
        &[34, 0, 0, 0][..],        // head and payload
        &[1, 3],                   // CALL, END and KEYED
        &[32, 0],                  // head
        &[0, 0, 0, 1, 0, 0, 0, 0], // sequence 1, slot 0, of the connector
        &MethodId::of("echo").to_bits().to_le_bytes(),
        &[0xe8, 3, 0, 0, 0, 0, 0, 0], // 1000 µs
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
    pair.server.connection.reply(calls[0].id, Err(status));
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
