//! What is too large, too many or too much fails by itself, and says which limit it met.

use super::*;

fn small() -> Limits {
    Limits { message_bytes_max: 100_000, calls_max: 2, buffered_bytes_max: 100_000, ..Limits::default() }
}

#[test]
fn arguments_the_server_would_not_take_are_not_sent() {
    let mut pair = Pair::with_limits(Limits::default(), small());
    let refused = pair.client.connection.open(pair.now, &call(vec![0; 100_001], None)).unwrap_err();
    assert_eq!((refused.reason(), refused.executed()), (Reason::MessageTooLarge, Executed::No));
    assert!(refused.message().contains("100001") && refused.message().contains("100000"), "{refused}");
    assert!(refused.message().contains("message_bytes_max"), "{refused}");
    assert!(pair.client.transmit().is_empty());
    pair.open(vec![0; 100_000]);
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
}

/// A peer that was told of a limit and does not care.
fn ignorant_of_limits(server: Limits) -> Pair {
    let mut pair = Pair::with_limits(Limits::default(), server);
    let now = pair.now;
    let mut told_otherwise = Side::new(Role::Acceptor, Limits::default(), now);
    pair.client = Side::new(Role::Connector, Limits::default(), now);
    told_otherwise.receive(now, &pair.client.transmit());
    pair.client.receive(now, &told_otherwise.transmit());
    pair.client.drain();
    pair
}

#[test]
fn arguments_too_large_fail_their_call_alone() {
    let mut pair = ignorant_of_limits(small());
    let large = pair.open(vec![0; 300_000]);
    let fine = pair.open("fine");
    pair.exchange();
    let answers = pair.client.answers();
    assert_eq!((answers[0].0, reason(&answers[0].1)), (large, (Reason::MessageTooLarge, Executed::No)));
    assert_eq!(pair.server.called().iter().map(|call| call.id).collect::<Vec<_>>(), [fine]);
}

#[test]
fn incomplete_messages_of_a_connection_share_an_allowance() {
    let mut pair = Pair::with_limits(Limits::default(), small());
    let (first, second) = (pair.open(vec![0; 90_000]), pair.open(vec![0; 90_000]));
    pair.exchange();
    // A first frame of 65 536 bytes of each: one fits into 100 000, two do not.
    assert_eq!(pair.server.called().iter().map(|call| call.id).collect::<Vec<_>>(), [first]);
    let answers = pair.client.answers();
    assert_eq!((answers[0].0, reason(&answers[0].1)), (second, (Reason::Overloaded, Executed::No)));
    // What was held for the first is given back.
    pair.client.connection.close(second);
    pair.open(vec![0; 90_000]);
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
}

#[test]
fn as_many_calls_as_the_server_takes_and_not_one_more() {
    let mut pair = Pair::with_limits(Limits::default(), small());
    let first = pair.open("");
    pair.open("");
    let refused = pair.client.connection.open(pair.now, &call("", None)).unwrap_err();
    assert_eq!((refused.reason(), refused.executed()), (Reason::TooManyCalls, Executed::No));
    assert!(refused.message().contains("calls_max"), "{refused}");
    pair.client.connection.close(first);
    pair.open("");
    pair.exchange();
    assert!(pair.server.closed().is_none());
}

#[test]
fn a_peer_that_opens_more_calls_than_it_may_loses_the_connection() {
    let mut pair = ignorant_of_limits(small());
    for _ in 0..3 {
        pair.open("");
    }
    pair.exchange();
    let Some(CloseReason::Violation(what)) = pair.server.closed() else { panic!("a violation") };
    assert!(what.contains("limit of calls"), "{what}");
}

#[test]
fn an_answer_the_client_would_not_take_becomes_an_error_that_says_so() {
    let mut pair = Pair::with_limits(small(), Limits::default());
    pair.open("");
    pair.exchange();
    let calls = pair.server.called();
    pair.answer(&calls[0], vec![0; 100_001]);
    pair.exchange();
    let answers = pair.client.answers();
    assert_eq!(reason(&answers[0].1), (Reason::MessageTooLarge, Executed::Yes));
}

#[test]
fn answers_to_a_client_that_does_not_read_are_given_up_past_a_limit() {
    let limits = Limits { queued_bytes_max: 100_000, ..Limits::default() };
    let mut pair = Pair::with_limits(Limits::default(), limits);
    for _ in 0..3 {
        pair.open("");
    }
    pair.exchange();
    let calls = pair.server.called();
    calls.iter().for_each(|call| pair.answer(call, vec![0; 60_000]));
    pair.exchange();
    let answers = pair.client.answers();
    assert!(answers[0].1.is_ok());
    for (_, result) in &answers[1..] {
        assert_eq!(reason(result), (Reason::Overloaded, Executed::Yes));
    }
}

#[test]
fn calls_to_a_server_that_does_not_read_are_queued_up_to_a_limit() {
    let limits = Limits { queued_bytes_max: 1000, ..Limits::default() };
    let mut pair = Pair::with_limits(limits, Limits::default());
    let queued =
        (0..100).map_while(|_| pair.client.connection.open(pair.now, &call(vec![0; 100], None)).ok()).count();
    assert!((5..=10).contains(&queued), "{queued}");
    let refused = pair.client.connection.open(pair.now, &call("", None)).unwrap_err();
    assert_eq!((refused.reason(), refused.executed()), (Reason::Overloaded, Executed::No));
    assert!(refused.message().contains("queued_bytes_max"), "{refused}");
    pair.exchange();
    pair.open("");
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let limits = Limits { unsent_bytes_max: 1 << 20, ..Limits::default() };
    let mut pair = Pair::with_limits(Limits::default(), limits);
    pair.open("");
    pair.open("");
    pair.exchange();
    let calls = pair.server.called();
    pair.answer(&calls[0], vec![0; 1 << 19]);
    assert!(pair.server.connection.wants_bytes());
    pair.answer(&calls[1], vec![0; 1 << 20]);
    assert!(!pair.server.connection.wants_bytes());
    pair.exchange();
    assert!(pair.server.connection.wants_bytes());
}
