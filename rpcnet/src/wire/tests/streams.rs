//! Streams: what arrives, how far a writer may be ahead, how they end.

use super::*;
use crate::wire::flow::{Items, Reading};

/// A call whose two streams are open.
struct Streams {
    pair: Pair,
    id: StreamId,
}

/// An end of the pair.
#[derive(Clone, Copy)]
enum At {
    Client,
    Server,
}

impl Streams {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let mut pair = Pair::with_limits(limits, limits);
        let id = open_streaming(&mut pair, None);
        pair.exchange();
        let calls = pair.server.called();
        assert!(pair.server.connection.reply(calls[0].id, Ok(ok("")), true), "a stream may follow");
        pair.exchange();
        assert!(matches!(pair.client.drain()[..], [Output::Answered { items: true, .. }]));
        Self { pair, id }
    }

    fn at(&mut self, at: At) -> &mut Connection {
        match at {
            At::Client => &mut self.pair.client.connection,
            At::Server => &mut self.pair.server.connection,
        }
    }

    /// Sends as many of these as may be sent; gives the rest.
    fn write(&mut self, at: At, items: impl IntoIterator<Item = Bytes>) -> Vec<Bytes> {
        let (id, mut items) = (self.id, items.into_iter().collect::<Items>());
        self.at(at).write(id, &mut items);
        self.pair.exchange();
        std::iter::from_fn(|| items.next()).collect()
    }

    /// Lets both writers go on. True if something was sent.
    fn go_on(&mut self) -> bool {
        let mut sent = false;
        loop {
            for side in [&mut self.pair.client, &mut self.pair.server] {
                side.connection.write(self.id, &mut Items::default());
            }
            if !self.at(At::Client).has_transmit() && !self.at(At::Server).has_transmit() {
                return sent;
            }
            sent = true;
            self.pair.exchange();
        }
    }

    /// Reads everything there is, and how the stream ended if it has. What the writers have begun goes on.
    fn read(&mut self, at: At) -> (Vec<Bytes>, Option<Result<(), Reason>>) {
        let (id, mut batch, mut items) = (self.id, Items::default(), Vec::new());
        loop {
            let reading = self.at(at).read(id, &mut batch);
            let more = self.go_on();
            match reading {
                Reading::Items => items.extend(std::iter::from_fn(|| batch.next())),
                Reading::Nothing if more => {}
                Reading::Nothing => return (items, None),
                Reading::Ended(end) => return (items, Some(end.map_err(|status| status.reason()))),
            }
        }
    }
}

fn open_streaming(pair: &mut Pair, timeout: Option<Duration>) -> StreamId {
    let head = CallHead { streaming: true, items: true, ..head(timeout) };
    pair.client.connection.open(pair.now, &Call { head, payload: Bytes::new() }).unwrap()
}

fn small(window: u32) -> Limits {
    Limits { stream_window: window, ..Limits::default() }
}

fn items(count: usize, bytes: usize) -> impl Iterator<Item = Bytes> {
    (0..count).map(move |n| Bytes::from(vec![n as u8; bytes]))
}

#[test]
fn items_arrive_in_order_both_ways_and_the_end_after_them() {
    let mut streams = Streams::new();
    for (from, to) in [(At::Client, At::Server), (At::Server, At::Client)] {
        assert!(streams.write(from, items(100, 33)).is_empty());
        let id = streams.id;
        streams.at(from).finish(id, Ok(()));
        streams.pair.exchange();
        assert_eq!(streams.read(to), (items(100, 33).collect(), Some(Ok(()))));
    }
    assert!(streams.pair.server.connection.is_idle());
    let id = streams.id;
    streams.at(At::Client).close(id);
    assert!(streams.pair.client.transmit().is_empty(), "nothing is left to cancel");
    assert!(streams.pair.client.connection.is_idle());
}

#[test]
fn a_writer_waits_when_the_window_is_full_and_goes_on_when_some_of_it_is_read() {
    let mut streams = Streams::with_limits(small(8 << 10));
    let rest = streams.write(At::Server, items(100, 1000));
    assert_eq!(100 - rest.len(), 8, "of 1016 bytes each");
    streams.pair.server.drain();
    assert!(streams.write(At::Server, rest.clone()).len() == rest.len(), "not one more");
    assert_eq!(streams.read(At::Client).0.len(), 8);
    assert!(matches!(streams.pair.server.drain()[..], [Output::Writable(_)]));
    let waiting = rest.len();
    assert_eq!(waiting - streams.write(At::Server, rest).len(), 8);
}

#[test]
fn empty_items_are_not_free() {
    let mut streams = Streams::with_limits(small(8 << 10));
    let rest = streams.write(At::Client, items(10_000, 0));
    assert!(10_000 - rest.len() <= (8 << 10) / 2, "{} items of nothing", 10_000 - rest.len());
}

#[test]
fn an_item_larger_than_the_window_passes_and_lets_small_calls_pass() {
    let mut streams = Streams::with_limits(small(64 << 10));
    let large = Bytes::from(vec![7; 4 << 20]);
    assert!(streams.write(At::Server, [large.clone()]).is_empty(), "it is begun");
    let (read, end) = streams.read(At::Client);
    assert!(read == [large] && end.is_none(), "{} items, {end:?}", read.len());
}

#[test]
fn a_stream_nobody_reads_stops_no_other_and_no_call() {
    let mut streams = Streams::with_limits(small(8 << 10));
    let slow = streams.id;
    assert!(!streams.write(At::Server, items(100, 1000)).is_empty());
    let other = open_streaming(&mut streams.pair, None);
    streams.pair.exchange();
    let calls = streams.pair.server.called();
    streams.pair.server.connection.reply(calls[0].id, Ok(ok("")), true);
    streams.id = other;
    assert!(streams.write(At::Server, items(8, 1000)).is_empty());
    assert_eq!(streams.read(At::Client).0.len(), 8);
    assert_ne!(slow, other);
}

#[test]
fn a_cut_stream_gives_its_items_and_then_why() {
    let mut streams = Streams::new();
    streams.write(At::Server, items(3, 10));
    let id = streams.id;
    streams.at(At::Server).finish(id, Err(Status::new(Reason::Panicked, Executed::Yes, "boom")));
    streams.pair.exchange();
    assert_eq!(streams.read(At::Client), (items(3, 10).collect(), Some(Err(Reason::Panicked))));
    assert!(streams.pair.server.connection.is_idle());
}

#[test]
fn a_stream_finished_in_the_middle_of_an_item_is_cut() {
    let mut streams = Streams::with_limits(small(8 << 10));
    // What is unread holds up the rest.
    streams.write(At::Server, [Bytes::from_static(b"first"), Bytes::from(vec![0; 100 << 10])]);
    let id = streams.id;
    streams.at(At::Server).finish(id, Ok(()));
    streams.pair.exchange();
    let (read, end) = streams.read(At::Client);
    assert_eq!((&read[..], end), (&[Bytes::from_static(b"first")][..], Some(Err(Reason::StreamCut))));
}

#[test]
fn a_reader_that_goes_ends_the_call_at_the_other_end() {
    let mut streams = Streams::new();
    let id = streams.id;
    streams.at(At::Client).close(id);
    streams.pair.exchange();
    let said = streams.pair.server.drain();
    assert!(matches!(said[..], [Output::Abandoned(_), Output::Readable(_), Output::Writable(_)]), "{said:?}");
    assert_eq!(streams.read(At::Server).1, Some(Err(Reason::StreamCut)));
    assert!(streams.pair.server.connection.is_idle() && streams.pair.client.connection.is_idle());
}

#[test]
fn a_server_that_reads_no_more_stops_the_writer_and_not_the_call() {
    let mut streams = Streams::new();
    let id = streams.id;
    streams.at(At::Server).stop_reading(id);
    streams.pair.exchange();
    assert!(matches!(streams.pair.client.drain()[..], [Output::Writable(_)]));
    assert_eq!(streams.at(At::Client).write(id, &mut items(1, 1).collect()), Writing::Gone);
    assert!(streams.write(At::Server, items(1, 1)).is_empty());
    assert_eq!(streams.read(At::Client).0.len(), 1);
}

#[test]
fn what_crosses_with_the_answer_harms_nobody() {
    let mut pair = Pair::new();
    let id = open_streaming(&mut pair, None);
    pair.exchange();
    let calls = pair.server.called();
    pair.server.connection.reply(calls[0].id, Ok(ok("early")), false);
    pair.client.connection.write(id, &mut items(3, 10).collect());
    pair.client.connection.finish(id, Ok(()));
    pair.exchange();
    assert!(pair.server.closed().is_none());
    assert_eq!(pair.client.answers().len(), 1);
    assert_eq!(pair.client.connection.write(id, &mut items(1, 1).collect()), Writing::Gone);
}

#[test]
fn a_lost_connection_cuts_both_ends_after_what_has_come() {
    let mut streams = Streams::new();
    streams.write(At::Server, items(2, 10));
    streams.pair.client.connection.handle_end(&[], None);
    streams.pair.server.connection.handle_end(&[], None);
    assert_eq!(streams.read(At::Client), (items(2, 10).collect(), Some(Err(Reason::ConnectionLost))));
    assert_eq!(streams.read(At::Server), (vec![], Some(Err(Reason::ConnectionLost))));
}

#[test]
fn a_deadline_cuts_a_stream_at_both_ends() {
    let mut pair = Pair::new();
    let id = open_streaming(&mut pair, Some(Duration::from_secs(1)));
    pair.exchange();
    let calls = pair.server.called();
    pair.server.connection.reply(calls[0].id, Ok(ok("")), true);
    pair.exchange();
    pair.client.drain();
    pair.pass(Duration::from_secs(1));
    assert!(pair.server.drain().iter().any(|output| matches!(output, Output::Abandoned(_))));
    let mut streams = Streams { pair, id };
    assert_eq!(streams.read(At::Client).1, Some(Err(Reason::Deadline)));
    assert_eq!(streams.at(At::Client).write(id, &mut items(1, 1).collect()), Writing::Gone);
}

#[test]
fn an_item_larger_than_the_peer_takes_cuts_the_stream_and_says_so() {
    let limits = Limits { message_bytes_max: 1000, ..Limits::default() };
    let mut streams = Streams::with_limits(limits);
    let id = streams.id;
    assert_eq!(streams.at(At::Server).write(id, &mut items(1, 1001).collect()), Writing::Gone);
    streams.pair.exchange();
    assert_eq!(streams.read(At::Client).1, Some(Err(Reason::MessageTooLarge)));
}

#[test]
fn no_more_streams_than_the_server_takes() {
    let limits = Limits { streams_max: 2, ..Limits::default() };
    let mut pair = Pair::with_limits(Limits::default(), limits);
    let ids = [open_streaming(&mut pair, None), open_streaming(&mut pair, None)];
    let head = CallHead { streaming: true, ..head(None) };
    let third = Call { head, payload: Bytes::new() };
    let status = pair.client.connection.open(pair.now, &third).unwrap_err();
    assert_eq!((status.reason(), status.executed()), (Reason::TooManyCalls, Executed::No));
    assert!(status.message().contains("streams_max"), "{status}");
    pair.open("one without is another matter");
    pair.client.connection.close(ids[0]);
    pair.client.connection.open(pair.now, &third).unwrap();
}

#[test]
fn a_client_that_opens_more_is_refused_by_the_server() {
    let limits = Limits { streams_max: 1, ..Limits::default() };
    let mut honest = Pair::with_limits(Limits::default(), limits);
    let mut greedy = Pair::new();
    let mut sent = BytesMut::new();
    for _ in 0..2 {
        open_streaming(&mut greedy, None);
        sent.extend_from_slice(&greedy.client.transmit());
    }
    honest.server.receive(honest.now, &sent);
    assert_eq!(honest.server.called().len(), 1);
    greedy.client.receive(greedy.now, &honest.server.transmit());
    let [(_, Err(status))] = &greedy.client.answers()[..] else { panic!("the second is refused") };
    assert_eq!((status.reason(), status.executed()), (Reason::TooManyCalls, Executed::No));
}

#[test]
fn whoever_exceeds_its_credit_loses_the_connection() {
    let mut greedy = Streams::with_limits(small(1 << 20));
    let mut honest = Streams::with_limits(small(8 << 10));
    let id = greedy.id;
    greedy.at(At::Client).write(id, &mut items(9, 1000).collect());
    let sent = greedy.pair.client.transmit();
    honest.pair.server.receive(honest.pair.now, &sent);
    assert!(matches!(honest.pair.server.closed(), Some(CloseReason::Violation(_))));
}

#[test]
fn whoever_grants_without_end_loses_the_connection() {
    let mut streams = Streams::new();
    let mut outbox = crate::wire::outbox::Outbox::default();
    (0..2).for_each(|_| outbox.credit(streams.id, u32::MAX));
    let mut sent = BytesMut::new();
    outbox.take(&mut sent);
    streams.pair.server.receive(streams.pair.now, &sent);
    assert!(matches!(streams.pair.server.closed(), Some(CloseReason::Violation(_))));
}

#[test]
fn incomplete_items_are_bounded_for_all_streams_together() {
    let limits = Limits { buffered_bytes_max: 100_000, ..Limits::default() };
    let mut streams = Streams::with_limits(limits);
    streams.write(At::Client, [Bytes::from(vec![0; 200_000])]);
    let (read, end) = streams.read(At::Server);
    assert_eq!((read.len(), end), (0, Some(Err(Reason::Overloaded))));
    assert!(
        streams.pair.client.drain().iter().any(|output| matches!(output, Output::Writable(_))),
        "it is to stop"
    );
}

/// A call whose arguments leave in pieces, and its stream.
fn open_with_long_arguments(pair: &mut Pair) -> StreamId {
    let head = CallHead { streaming: true, items: true, ..head(None) };
    pair.client.connection.open(pair.now, &Call { head, payload: vec![1; 1 << 20].into() }).unwrap()
}

#[test]
fn items_follow_the_last_piece_of_the_arguments() {
    let mut pair = Pair::new();
    let id = open_with_long_arguments(&mut pair);
    let mut queue: Items = items(3, 10).collect();
    assert_eq!(pair.client.connection.write(id, &mut queue), Writing::Wait);
    assert_eq!(
        pair.client.connection.write(id, &mut Items::default()),
        Writing::Wait,
        "it is not the end yet"
    );
    pair.exchange();
    assert!(matches!(pair.client.drain()[..], [Output::Writable(_)]));
    assert_eq!(pair.client.connection.write(id, &mut queue), Writing::Done);
    pair.client.connection.finish(id, Ok(()));
    pair.exchange();
    assert_eq!(pair.server.called()[0].payload.len(), 1 << 20);
    assert_eq!(Streams { pair, id }.read(At::Server), (items(3, 10).collect(), Some(Ok(()))));
}

#[test]
fn a_stream_that_is_cut_before_the_arguments_have_left_is_cut_after_them() {
    let mut pair = Pair::new();
    let id = open_with_long_arguments(&mut pair);
    let cut = Status::new(Reason::StreamCut, Executed::Yes, "its writer was ended");
    pair.client.connection.finish(id, Err(cut));
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
    assert_eq!(Streams { pair, id }.read(At::Server), (vec![], Some(Err(Reason::StreamCut))));
}
