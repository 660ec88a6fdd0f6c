//! Arbitrary bytes as the peer's hello, at either end; and two ends of arbitrary settings that greet each other.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none handshakes`

#![no_main]

use std::time::Instant;

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rpcnet::{
    CloseReason, Codec, Limits,
    fuzzing::{End, Event, HELLO_BYTES_MAX, reread_hello},
};
use rpcnet_fuzz::{drain, pieces, transmit};

#[derive(Debug, Arbitrary)]
struct Settings {
    codec: u8,
    message_bytes_max: u32,
    calls_max: u32,
    streams_max: u32,
    stream_window: u32,
}

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Hostile { connects: bool, codec: u8, data: &'a [u8] },
    Honest { connector: Settings, acceptor: Settings, data: &'a [u8] },
}

fn codec(number: u8) -> Codec {
    [Codec::Bincode, Codec::Postcard, Codec::Json][usize::from(number % 3)]
}

impl Settings {
    fn end(&self, connects: bool, now: Instant) -> End {
        let mut limits = Limits::default();
        limits.message_bytes_max = self.message_bytes_max;
        limits.calls_max = self.calls_max;
        limits.streams_max = self.streams_max;
        limits.stream_window = self.stream_window;
        End::new(connects, codec(self.codec), limits, now)
    }
}

/// What an end makes of bytes: the codec, if it is ready, and the reason, if it is over.
fn outcome(end: &mut End) -> (Option<Codec>, Option<CloseReason>) {
    let (mut ready, mut closed) = (None, None);
    for event in drain(end) {
        match event {
            Event::Ready(codec) => assert_eq!((ready.replace(codec), &closed), (None, &None), "ready once"),
            Event::Closed(reason) => assert_eq!(closed.replace(reason), None, "closed once"),
            Event::GoingAway if ready.is_some() && closed.is_none() => {}
            other if closed.is_none() && ready.is_some() => drop(other),
            other => panic!("{other:?} before the handshake"),
        }
    }
    assert_eq!(end.is_closed(), closed.is_some());
    end.audit();
    (ready, closed)
}

fn hostile(connects: bool, number: u8, data: &[u8]) {
    let now = Instant::now();
    let settle = |data: &mut dyn Iterator<Item = &[u8]>| {
        let mut end = End::new(connects, codec(number), Limits::default(), now);
        let mut buffer = BytesMut::new();
        for piece in data {
            buffer.extend_from_slice(piece);
            end.handle_bytes(now, &mut buffer);
        }
        let (ready, closed) = outcome(&mut end);
        if ready.is_none() && closed.is_none() {
            assert!(buffer.len() < HELLO_BYTES_MAX, "{} bytes wait for the rest of a hello", buffer.len());
        }
        assert!(ready.is_none() || !connects || ready == Some(codec(number)), "the codec that was asked for");
        transmit(&mut end);
        assert!(drain(&mut end).is_empty(), "everything was said once");
        (ready, closed)
    };
    let whole = pieces(data).collect::<Vec<_>>().concat();
    let at_once = settle(&mut std::iter::once(&whole[..]));
    assert_eq!(settle(&mut pieces(data)), at_once, "it does not matter how they come");
    assert!(at_once.0.is_none() || reread_hello(&whole));
}

fn honest(connector: &Settings, acceptor: &Settings) {
    let now = Instant::now();
    let (mut client, mut server) = (connector.end(true, now), acceptor.end(false, now));
    let (mut there, mut back) = (BytesMut::new(), BytesMut::new());
    for _ in 0..2 {
        there.extend_from_slice(&transmit(&mut client));
        server.handle_bytes(now, &mut there);
        back.extend_from_slice(&transmit(&mut server));
        client.handle_bytes(now, &mut back);
    }
    let agreed = (Some(codec(connector.codec)), None);
    assert_eq!((outcome(&mut client), outcome(&mut server)), (agreed.clone(), agreed));
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Hostile { connects, codec, data } => hostile(connects, codec, data),
    Input::Honest { connector, acceptor, data } => {
        reread_hello(data);
        honest(&connector, &acceptor);
    }
});
