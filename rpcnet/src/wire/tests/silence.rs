//! A peer that says nothing.

use super::*;

#[test]
fn a_peer_that_never_says_hello_is_given_up() {
    for role in [Role::Connector, Role::Acceptor] {
        let now = Instant::now();
        let mut side = Side::new(role, Limits::default(), now);
        let limit = Limits::default().handshake_timeout;
        assert_eq!(side.connection.next_timeout(), Some(now + limit));
        side.connection.handle_timeout(now + limit);
        assert_eq!(side.closed(), Some(CloseReason::HandshakeTimeout));
    }
}

/// What counts is the whole hello, not a sign of life.
#[test]
fn a_hello_a_byte_at_a_time_has_no_more_time_than_any() {
    let begin = Instant::now();
    let mut side = Side::new(Role::Acceptor, Limits::default(), begin);
    let limit = Limits::default().handshake_timeout;
    for (second, byte) in (0..).zip(&b"RpcN\x01\x01\x01\0\0\0\0"[..]) {
        let now = begin + Duration::from_secs(second);
        side.receive(now, std::slice::from_ref(byte));
        side.connection.handle_timeout(now);
        assert_eq!(side.closed().is_some(), now >= begin + limit, "after {second} s");
        if now >= begin + limit {
            break;
        }
    }
}

#[test]
fn a_peer_that_vanished_is_found_out_while_somebody_waits() {
    let mut pair = Pair::new();
    pair.open_with("", None);
    pair.exchange();
    let limits = Limits::default();
    let asked = pair.now + limits.keepalive_interval;
    pair.client.connection.handle_timeout(asked);
    assert!(!pair.client.transmit().is_empty(), "a ping");
    pair.client.connection.handle_timeout(asked + limits.keepalive_timeout);
    let answers = pair.client.drain();
    assert!(
        matches!(&answers[..], [Output::Answered { .. }, Output::Closed(CloseReason::PeerSilent)]),
        "{answers:?}"
    );
}

/// Calls one after the other, each of which gives up before the peer would be asked.
#[test]
fn a_peer_that_vanished_is_found_out_by_calls_that_are_each_shorter_than_the_interval() {
    let mut pair = Pair::new();
    let begin = pair.now;
    let mut closed = None;
    while closed.is_none() {
        let id = pair.open_with("", Some(Duration::from_secs(4)));
        let until = pair.now + Duration::from_secs(5);
        while closed.is_none() && pair.now < until {
            // Nothing reaches the server, and nothing comes back.
            pair.client.transmit();
            pair.now = pair.client.connection.next_timeout().unwrap_or(until).min(until);
            pair.client.connection.handle_timeout(pair.now);
            closed = pair.client.closed();
        }
        pair.client.connection.close(id);
    }
    assert_eq!(pair.now - begin, Duration::from_secs(15), "an interval and the time to answer");
    assert_eq!(closed, Some(CloseReason::PeerSilent));
}

/// A client that reads a long answer slowly is not taken for dead, though it is not read from meanwhile.
#[test]
fn a_peer_that_reads_is_alive() {
    let mut pair = Pair::new();
    pair.open_with("", None);
    pair.exchange();
    pair.server.called();
    for _ in 0..20 {
        pair.now += Limits::default().keepalive_interval - Duration::from_secs(1);
        pair.server.connection.handle_progress(pair.now);
        pair.server.connection.handle_timeout(pair.now);
    }
    assert_eq!(pair.server.closed(), None);
}

#[test]
fn a_client_that_vanished_while_idle_is_found_out_in_the_end() {
    let mut pair = Pair::new();
    let begin = pair.now;
    while pair.server.closed().is_none() {
        pair.now = pair.server.connection.next_timeout().expect("the server watches");
        pair.server.connection.handle_timeout(pair.now);
        pair.server.transmit();
    }
    assert_eq!(pair.now - begin, Duration::from_secs(65));
}

#[test]
fn an_idle_connection_may_be_silent_for_ever() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.connection.next_timeout(), None);
    pair.pass(Duration::from_secs(86_400));
    assert!(pair.client.closed().is_none() && pair.server.closed().is_none());
    // The first call after the silence is not blamed for it.
    pair.open("");
    let first = pair.client.connection.next_timeout();
    assert_eq!(first, Some(pair.now + Limits::default().keepalive_interval.min(Duration::from_secs(10))));
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
}
