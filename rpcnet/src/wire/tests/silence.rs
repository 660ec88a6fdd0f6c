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

#[test]
fn an_idle_connection_may_be_silent_for_ever() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.connection.next_timeout(), None);
    assert_eq!(pair.server.connection.next_timeout(), None);
    pair.pass(Duration::from_secs(86_400));
    // The first call after the silence is not blamed for it.
    pair.open("");
    let first = pair.client.connection.next_timeout();
    assert_eq!(first, Some(pair.now + Limits::default().keepalive_interval.min(Duration::from_secs(10))));
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
}
