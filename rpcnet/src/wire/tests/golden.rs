//! The bytes themselves: the dumps that the book's chapter about the protocol shows, against what is sent, and handed to
//! the other end. A change here is a change of the protocol.

use uuid::Uuid;

use super::*;
use crate::wire::{
    flow::{Items, Reading},
    frame::{Header, Kind, flags},
    head::RepeatHead,
    outbox::Outbox,
};

/// A dump of `golden/`.
macro_rules! golden {
    ($name:literal) => {
        bytes(include_str!(concat!("golden/", $name, ".txt")))
    };
}

/// What a dump says: hex before a bar, for people after it.
fn bytes(dump: &str) -> Vec<u8> {
    let [part] = &parts(dump)[..] else { panic!("bytes are left out") };
    part.clone()
}

/// What a dump says before and after each line of `…`, where bytes are left out.
fn parts(dump: &str) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    for line in dump.lines() {
        let (hex, _) = line.split_once('|').expect("a bar between bytes and comment");
        match hex.trim() {
            "…" => parts.push(Vec::new()),
            hex => {
                let bytes = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap());
                parts.last_mut().unwrap().extend(bytes);
            }
        }
    }
    parts
}

/// The first call of a client.
fn first() -> StreamId {
    StreamId::new(1, 0, false).unwrap()
}

/// A pair whose client has a call under way, and that call at the server.
fn under_way(payload: &'static str) -> (Pair, IncomingCall) {
    let mut pair = Pair::new();
    pair.open_with(payload, None);
    pair.exchange();
    let call = pair.server.called().remove(0);
    (pair, call)
}

/// The same of a call with streams in both directions, of whose items so much may be unread.
fn streaming(window: u32) -> Pair {
    let limits = Limits { stream_window: window, ..Limits::default() };
    let mut pair = Pair::with_limits(limits, limits);
    let head = CallHead { streaming: true, items: true, ..head(None) };
    pair.client.connection.open(pair.now, &Call { head, payload: Bytes::new() }).unwrap();
    pair.exchange();
    assert!(pair.server.connection.reply(first(), Ok(ok("")), true));
    pair.exchange();
    pair.client.drain();
    pair.server.drain();
    pair
}

/// What is there to be read, and how the stream ended if it has.
fn read(side: &mut Side) -> (Vec<Bytes>, Option<Result<(), Status>>) {
    let (mut batch, mut items) = (Items::default(), Vec::new());
    loop {
        match side.connection.read(first(), &mut batch) {
            Reading::Items => items.extend(std::iter::from_fn(|| batch.next())),
            Reading::Nothing => return (items, None),
            Reading::Ended(end) => return (items, Some(end)),
        }
    }
}

#[test]
fn hello() {
    let now = Instant::now();
    let mut client = Side::new(Role::Connector, Limits::default(), now);
    let mut server = Side::new(Role::Acceptor, Limits::default(), now);
    assert_eq!(&client.transmit()[..], golden!("hello-client"));
    assert!(server.transmit().is_empty(), "the acceptor speaks when it is spoken to");
    server.receive(now, &golden!("hello-client"));
    assert_eq!(&server.transmit()[..], golden!("hello-server"));
    client.receive(now, &golden!("hello-server"));
    for mut side in [client, server] {
        assert!(matches!(side.drain()[..], [Output::Ready { codec: Codec::Bincode }]));
    }
}

#[test]
fn call_and_reply() {
    let mut pair = Pair::new();
    let head = CallHead { method: MethodId::of("Greeter/hello"), ..head(Some(Duration::from_secs(1))) };
    let call = Call { head: head.clone(), payload: r#"["Ann"]"#.into() };
    pair.client.connection.open(pair.now, &call).unwrap();
    assert_eq!(&pair.client.transmit()[..], golden!("call"));
    pair.server.receive(pair.now, &golden!("call"));
    let calls = pair.server.called();
    assert_eq!((&calls[0].head, &calls[0].payload[..]), (&head, &br#"["Ann"]"#[..]));
    pair.answer(&calls[0], r#""hello Ann""#);
    assert_eq!(&pair.server.transmit()[..], golden!("reply"));
    pair.client.receive(pair.now, &golden!("reply"));
    let answers = pair.client.answers();
    assert!(
        matches!(&answers[..], [(_, Ok(Answer::Ok(answer)))] if answer == r#""hello Ann""#),
        "{answers:?}"
    );
}

#[test]
fn a_keyed_call() {
    let request_id = Some(Uuid::from_bytes([0xab; 16]));
    let head = CallHead { request_id, fingerprint: 0x0403_0201, ..head(Some(Duration::from_millis(1))) };
    sends_and_takes(head, "hi", &golden!("call-keyed"));
}

#[test]
fn a_repeat() {
    let request_id = Some(Uuid::from_bytes([0xab; 16]));
    let (age, connected) = (Duration::from_millis(2), Duration::from_millis(1));
    let repeat = Some(Box::new(RepeatHead { age, connected, elsewhere: true }));
    sends_and_takes(CallHead { request_id, repeat, ..head(None) }, "hi", &golden!("call-repeat"));
}

#[test]
fn trace_and_metadata() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let metadata = crate::Metadata::new().with("tenant", "acme").unwrap();
    let head = CallHead { trace: Some(Box::new(trace)), metadata: Some(metadata.into()), ..head(None) };
    sends_and_takes(head, "hi", &golden!("call-traced"));
}

/// A client that makes the call sends the bytes, and a server reads the call from them.
fn sends_and_takes(head: CallHead, payload: &'static str, expected: &[u8]) {
    let mut pair = Pair::new();
    pair.client.connection.open(pair.now, &Call { head: head.clone(), payload: payload.into() }).unwrap();
    assert_eq!(&pair.client.transmit()[..], expected);
    pair.server.receive(pair.now, expected);
    let calls = pair.server.called();
    assert_eq!((&calls[0].head, &calls[0].payload[..]), (&head, payload.as_bytes()));
}

#[test]
fn a_message_of_two_frames() {
    let mut pair = Pair::new();
    let arguments = vec![b'a'; 65_537];
    pair.open_with(arguments.clone(), None);
    let sent = pair.client.transmit();
    let [before, after] = &parts(include_str!("golden/call-long.txt"))[..] else { panic!("two frames") };
    let expected = [&before[..], &arguments[..65_536], after].concat();
    assert!(sent[..] == expected, "{:?}", &sent[..before.len()]);
    pair.server.receive(pair.now, &expected);
    assert_eq!(pair.server.called()[0].payload, arguments);
}

#[test]
fn status() {
    let (mut pair, call) = under_way("");
    let status =
        Status::new(Reason::Overloaded, Executed::No, "busy").retry_after(Duration::from_millis(258));
    pair.server.connection.reply(call.id, Err(status), false);
    assert_eq!(&pair.server.transmit()[..], golden!("status"));
    pair.client.receive(pair.now, &golden!("status"));
    let answers = pair.client.answers();
    assert_eq!(reason(&answers[0].1), (Reason::Overloaded, Executed::No));
    let Err(status) = &answers[0].1 else { panic!("a status") };
    assert_eq!((status.message(), status.retry_hint()), ("busy", Some(Duration::from_millis(258))));
}

#[test]
fn cancel() {
    let (mut pair, call) = under_way("");
    pair.client.connection.close(call.id);
    assert_eq!(&pair.client.transmit()[..], golden!("cancel"));
    pair.server.receive(pair.now, &golden!("cancel"));
    assert!(matches!(pair.server.drain()[..], [Output::Abandoned(id)] if id == call.id));
}

#[test]
fn go_away() {
    let (mut pair, call) = under_way("");
    pair.server.connection.go_away("bye");
    assert_eq!(&pair.server.transmit()[..], golden!("go-away"));
    let crossed = pair.open("too late");
    pair.client.receive(pair.now, &golden!("go-away"));
    let answers = pair.client.answers();
    assert_eq!((answers.len(), answers[0].0), (1, crossed), "not {:?}", call.id);
    assert_eq!(reason(&answers[0].1), (Reason::Draining, Executed::No));
}

#[test]
fn ping_and_pong() {
    let (mut pair, _) = under_way("");
    pair.now += Limits::default().keepalive_interval;
    pair.client.connection.handle_timeout(pair.now);
    assert_eq!(&pair.client.transmit()[..], golden!("ping"));
    pair.server.receive(pair.now, &golden!("ping"));
    assert_eq!(&pair.server.transmit()[..], golden!("pong"));
    pair.client.receive(pair.now, &golden!("pong"));
    pair.now += Limits::default().keepalive_timeout;
    pair.client.connection.handle_timeout(pair.now);
    assert_eq!(pair.client.closed(), None);
}

#[test]
fn a_call_with_a_stream_its_items_and_their_end() {
    let mut pair = Pair::new();
    let head = CallHead { method: MethodId::of("Sums/add"), streaming: true, items: true, ..head(None) };
    let id = pair.client.connection.open(pair.now, &Call { head, payload: "[1]".into() }).unwrap();
    assert_eq!(&pair.client.transmit()[..], golden!("call-stream"));
    pair.client.connection.write(id, &mut Items::from_iter(["42".into()]));
    assert_eq!(&pair.client.transmit()[..], golden!("item"));
    pair.client.connection.finish(id, Ok(()));
    assert_eq!(&pair.client.transmit()[..], golden!("finish"));
    pair.server.receive(pair.now, &[golden!("call-stream"), golden!("item"), golden!("finish")].concat());
    let calls = pair.server.called();
    assert!(calls[0].head.streaming && calls[0].head.items && calls[0].payload == "[1]");
    let (items, end) = read(&mut pair.server);
    assert!(items == ["42"] && matches!(end, Some(Ok(()))), "{items:?} {end:?}");
    assert!(pair.server.connection.reply(id, Ok(ok("")), true));
    assert_eq!(&pair.server.transmit()[..], golden!("reply-stream"));
    pair.client.receive(pair.now, &[golden!("reply-stream"), golden!("item"), golden!("finish")].concat());
    let (items, end) = read(&mut pair.client);
    assert!(items == ["42"] && matches!(end, Some(Ok(()))), "{items:?} {end:?}");
}

#[test]
fn small_items_that_go_together() {
    let mut pair = streaming(8 << 10);
    let mut items = Items::from_iter(["42".into(), "7".into()]);
    assert_eq!(pair.server.connection.write(first(), &mut items), Writing::Done);
    assert_eq!(&pair.server.transmit()[..], golden!("pack"));
    pair.client.receive(pair.now, &[golden!("item"), golden!("pack"), golden!("finish")].concat());
    let (items, end) = read(&mut pair.client);
    assert!(items == ["42", "42", "7"] && matches!(end, Some(Ok(()))), "{items:?} {end:?}");
}

#[test]
fn reset() {
    let mut pair = streaming(8 << 10);
    let cut = Status::new(Reason::StreamCut, Executed::Yes, "no");
    pair.server.connection.finish(first(), Err(cut));
    assert_eq!(&pair.server.transmit()[..], golden!("reset"));
    pair.client.receive(pair.now, &golden!("reset"));
    let (_, Some(Err(status))) = read(&mut pair.client) else { panic!("it is cut") };
    assert_eq!((status.reason(), status.executed()), (Reason::StreamCut, Executed::Yes));
    assert_eq!(status.message(), "no");
}

#[test]
fn stop() {
    let mut pair = streaming(8 << 10);
    pair.server.connection.stop_reading(first());
    assert_eq!(&pair.server.transmit()[..], golden!("stop"));
    pair.client.receive(pair.now, &golden!("stop"));
    assert_eq!(pair.client.connection.write(first(), &mut Items::from_iter(["42".into()])), Writing::Gone);
}

#[test]
fn credit() {
    let mut pair = streaming(8 << 10);
    let item = |pair: &mut Pair, length: usize| {
        pair.client.connection.write(first(), &mut Items::from_iter([Bytes::from(vec![0; length])]))
    };
    assert_eq!(item(&mut pair, 4096 - 16), Writing::Done, "half of the window");
    let sent = pair.client.transmit();
    pair.server.receive(pair.now, &sent);
    assert_eq!(read(&mut pair.server).0.len(), 1);
    assert_eq!(&pair.server.transmit()[..], golden!("credit"));
    pair.client.receive(pair.now, &golden!("credit"));
    assert_eq!(item(&mut pair, 8192 - 16), Writing::Done, "the whole window is free again");
}

#[test]
fn a_large_credit() {
    let mut outbox = Outbox::default();
    outbox.credit(first(), 0x0403_0201);
    let mut sent = BytesMut::new();
    outbox.take(&mut sent);
    assert_eq!(sent[16..], [1, 2, 3, 4]);
}

#[test]
fn what_is_said_of_a_call_that_is_not_known_means_nothing() {
    let mut pair = Pair::new();
    let said = [golden!("cancel"), golden!("finish"), golden!("reset"), golden!("stop"), golden!("credit")];
    pair.server.receive(pair.now, &said.concat());
    pair.client.receive(pair.now, &[golden!("reply"), golden!("item"), said.concat()].concat());
    assert!(pair.server.drain().is_empty() && pair.client.drain().is_empty());
}

/// The cells of a table in Markdown, without its head.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    table.lines().skip(2).map(cells).collect()
}

#[test]
fn the_tables_of_kinds_and_flags_are_those_of_the_implementation() {
    let kinds = [
        Kind::Call,
        Kind::Data,
        Kind::Reply,
        Kind::Cancel,
        Kind::Ping,
        Kind::Pong,
        Kind::GoAway,
        Kind::Finish,
        Kind::Reset,
        Kind::Stop,
        Kind::Credit,
        Kind::Pack,
    ];
    let listed =
        rows(include_str!("golden/kinds.md")).into_iter().map(|row| (row[0].clone(), row[1].clone()));
    let there = kinds.map(|kind| {
        (Header::bare(kind, first()).encode()[4].to_string(), format!("{kind:?}").to_uppercase())
    });
    assert!(listed.eq(there));
    let listed =
        rows(include_str!("golden/flags.md")).into_iter().map(|row| (row[0].clone(), row[1].clone()));
    let there = [
        (flags::END, "END"),
        (flags::KEYED, "KEYED"),
        (flags::STREAMING, "STREAMING"),
        (flags::ITEMS, "ITEMS"),
        (flags::TRACED, "TRACED"),
        (flags::METADATA, "METADATA"),
        (flags::REPEAT, "REPEAT"),
    ];
    assert!(listed.eq(there.map(|(value, name)| (value.to_string(), name.to_owned()))));
}
