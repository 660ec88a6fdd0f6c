//! The life of a call.

use uuid::Uuid;

use super::*;

#[test]
fn a_call_arrives_with_all_it_was_sent_with_and_is_answered() {
    let mut pair = Pair::new();
    let request_id = Some(Uuid::from_u128(7));
    let head = CallHead { request_id, ..head(Some(Duration::from_secs(3))) };
    let call = Call { head, payload: "ping".into() };
    let id = pair.client.connection.open(pair.now, &call).unwrap();
    pair.exchange();
    let [incoming] = &pair.server.called()[..] else { panic!("one call") };
    assert_eq!((incoming.id, &incoming.payload[..]), (id, &b"ping"[..]));
    assert_eq!(incoming.head.method, MethodId::of("echo"));
    assert_eq!(
        (incoming.head.request_id, incoming.deadline),
        (request_id, Some(pair.now + Duration::from_secs(3)))
    );
    pair.answer(incoming, "pong");
    pair.exchange();
    let [(answered, result)] = &pair.client.answers()[..] else { panic!("one answer") };
    assert_eq!((*answered, result.as_ref().unwrap()), (id, &ok("pong")));
}

#[test]
fn errors_of_the_method_and_of_the_server_come_back_as_they_were() {
    let mut pair = Pair::new();
    let status =
        Status::new(Reason::Overloaded, Executed::No, "busy").retry_after(Duration::from_millis(250));
    for sent in [Ok(Answer::App("typed".into())), Ok(Answer::AppError("known".into())), Err(status)] {
        pair.open("");
        pair.exchange();
        let [incoming] = &pair.server.called()[..] else { panic!("one call") };
        pair.server.connection.reply(incoming.id, sent.clone(), false);
        pair.exchange();
        let (_, received) = pair.client.answers().remove(0);
        match (sent, received) {
            (Ok(sent), Ok(received)) => assert_eq!(sent, received),
            (Err(sent), Err(received)) => {
                assert_eq!(sent.to_string(), received.to_string());
                assert_eq!(sent.reason(), received.reason());
                assert_eq!(sent.executed(), received.executed());
                assert_eq!(sent.retry_hint(), received.retry_hint());
            }
            (sent, received) => panic!("{sent:?} became {received:?}"),
        }
    }
}

#[test]
fn answers_find_their_calls_in_any_order() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..100u8).map(|n| pair.open(vec![n])).collect();
    pair.exchange();
    let mut calls = pair.server.called();
    calls.reverse();
    for call in &calls {
        pair.server.connection.reply(call.id, Ok(ok(call.payload.clone())), false);
    }
    pair.exchange();
    let mut answers = pair.client.answers();
    answers.sort_by_key(|(id, _)| *id);
    let expected: Vec<_> = ids.iter().zip(0..100u8).map(|(id, n)| (*id, ok(vec![n]))).collect();
    assert_eq!(answers.into_iter().map(|(id, result)| (id, result.unwrap())).collect::<Vec<_>>(), expected);
}

#[test]
fn a_small_call_passes_between_the_pieces_of_a_large_one() {
    let mut pair = Pair::new();
    let large = pair.open(vec![1; 8 << 20]);
    let mut sent = BytesMut::new();
    pair.client.connection.poll_transmit(&mut sent);
    assert!(sent.len() < 1 << 20, "one write takes a few pieces of the large call, not all of it");
    let small = pair.open("small");
    pair.server.receive(pair.now, &sent.split());
    pair.client.connection.poll_transmit(&mut sent);
    pair.server.receive(pair.now, &sent);
    assert_eq!(pair.server.called().iter().map(|call| call.id).collect::<Vec<_>>(), [small]);
    pair.exchange();
    let [call] = &pair.server.called()[..] else { panic!("the large call") };
    assert_eq!((call.id, call.payload.len()), (large, 8 << 20));
}

#[test]
fn bytes_may_arrive_one_at_a_time() {
    let mut pair = Pair::new();
    pair.open(vec![9; 100_000]);
    for byte in pair.client.transmit() {
        pair.server.receive(pair.now, &[byte]);
    }
    assert_eq!(pair.server.called()[0].payload, vec![9; 100_000]);
}

#[test]
fn closing_a_call_in_flight_cancels_it_at_the_peer() {
    let mut pair = Pair::new();
    let id = pair.open("");
    pair.exchange();
    let [call] = &pair.server.called()[..] else { panic!("one call") };
    pair.client.connection.close(id);
    pair.exchange();
    assert!(matches!(pair.server.drain()[..], [Output::Abandoned(abandoned)] if abandoned == id));
    // The handler had finished at the same moment: nobody hears of it, not even the slot's next call.
    pair.answer(call, "too late");
    let next = pair.open("");
    assert_eq!(next.slot(), id.slot());
    pair.exchange();
    assert!(pair.client.answers().is_empty());
}

#[test]
fn closing_an_answered_call_says_nothing_to_the_peer() {
    let mut pair = Pair::new();
    let id = pair.open("");
    pair.exchange();
    let [call] = &pair.server.called()[..] else { panic!("one call") };
    pair.answer(call, "");
    pair.exchange();
    pair.client.connection.close(id);
    assert!(pair.client.transmit().is_empty());
}

#[test]
fn a_call_closed_before_its_arguments_were_sent_whole_sends_no_more_of_them() {
    let mut pair = Pair::new();
    let id = pair.open(vec![0; 8 << 20]);
    let mut sent = BytesMut::new();
    pair.client.connection.poll_transmit(&mut sent);
    pair.server.receive(pair.now, &sent);
    pair.client.connection.close(id);
    assert!(pair.client.transmit().len() < 100, "a CANCEL and nothing else");
    assert!(pair.server.drain().is_empty());
}

#[test]
fn the_deadline_ends_a_call_at_both_ends_and_cancels_it() {
    let mut pair = Pair::new();
    let id = pair.open_with("", Some(Duration::from_millis(50)));
    pair.exchange();
    assert_eq!(pair.server.called().len(), 1);
    pair.pass(Duration::from_millis(49));
    assert!(pair.client.answers().is_empty() && pair.server.drain().is_empty());
    pair.pass(Duration::from_millis(1));
    let answers = pair.client.answers();
    assert_eq!((answers[0].0, reason(&answers[0].1)), (id, (Reason::Deadline, Executed::Unknown)));
    assert!(matches!(pair.server.drain()[..], [Output::Abandoned(abandoned)] if abandoned == id));
}

#[test]
fn a_deadline_that_has_passed_on_arrival_runs_nothing() {
    let mut pair = Pair::new();
    pair.open_with("", Some(Duration::ZERO));
    pair.exchange();
    assert!(pair.server.called().is_empty());
    assert_eq!(reason(&pair.client.answers()[0].1), (Reason::Deadline, Executed::No));
}

#[test]
fn a_call_without_a_deadline_waits_as_long_as_the_peer_answers_pings() {
    let mut pair = Pair::new();
    pair.open_with("", None);
    pair.exchange();
    pair.pass(Duration::from_secs(3600));
    assert!(pair.client.answers().is_empty());
    assert!(pair.client.closed().is_none());
}

#[test]
fn a_lost_connection_tells_what_was_sent_from_what_was_not() {
    let mut pair = Pair::new();
    let sent = pair.open("sent");
    pair.exchange();
    let queued = pair.open("still here");
    pair.client.connection.handle_end(&[], Some("reset".into()));
    let answers = pair.client.answers();
    let outcomes: Vec<_> = answers.iter().map(|(id, result)| (*id, reason(result))).collect();
    assert_eq!(
        outcomes,
        [
            (sent, (Reason::ConnectionLost, Executed::Unknown)),
            (queued, (Reason::ConnectionLost, Executed::No))
        ]
    );
}

/// What is said not to have been sent may be sent again elsewhere: it must not leave afterwards.
#[test]
fn what_a_failed_connection_had_not_sent_is_never_sent() {
    let mut pair = Pair::new();
    pair.open("queued");
    pair.client.connection.fail(CloseReason::ShutDown);
    assert_eq!(reason(&pair.client.answers()[0].1), (Reason::ConnectionLost, Executed::No));
    assert!(pair.client.transmit().is_empty());
}

#[test]
fn a_call_given_up_in_the_read_that_brought_it_is_not_run() {
    let mut pair = Pair::new();
    let id = pair.open("");
    pair.client.connection.close(id);
    pair.exchange();
    let outputs = pair.server.drain();
    assert!(
        matches!(&outputs[..], [Output::Called(call), Output::Abandoned(_)] if call.id == id),
        "{outputs:?}"
    );
    assert!(!pair.server.connection.is_running(id));
}

#[test]
fn giving_a_call_up_stops_the_rest_of_its_answer() {
    let mut pair = Pair::new();
    let id = pair.open("");
    pair.exchange();
    let calls = pair.server.called();
    pair.answer(&calls[0], vec![0; 8 << 20]);
    let mut sent = BytesMut::new();
    pair.server.connection.poll_transmit(&mut sent);
    pair.client.connection.close(id);
    let cancel = pair.client.transmit();
    pair.server.receive(pair.now, &cancel);
    assert!(pair.server.transmit().is_empty(), "of 8 MiB no more is sent");
}

#[test]
fn go_away_refuses_what_comes_later_and_lets_the_rest_finish() {
    let mut pair = Pair::new();
    let before = pair.open("before");
    pair.exchange();
    let calls = pair.server.called();
    let crossing = pair.open("crossing");
    pair.server.connection.go_away("shutting down");
    pair.exchange();
    let answers = pair.client.answers();
    assert_eq!((answers[0].0, reason(&answers[0].1)), (crossing, (Reason::Draining, Executed::No)));
    assert!(pair.server.called().is_empty(), "what was refused is not run");
    let refused = pair.client.connection.open(pair.now, &call("later", None)).unwrap_err();
    assert_eq!((refused.reason(), refused.executed()), (Reason::Draining, Executed::No));
    pair.answer(&calls[0], "done");
    pair.exchange();
    assert_eq!(pair.client.answers()[0].0, before);
}

#[test]
fn an_end_that_leaves_does_not_wait_for_a_hello() {
    let mut server = Side::new(Role::Acceptor, Limits::default(), Instant::now());
    server.connection.go_away("shutting down");
    assert_eq!(server.closed(), Some(CloseReason::ShutDown));
}

#[test]
fn slots_are_used_again_and_ids_are_not() {
    let mut pair = Pair::new();
    let mut last = None;
    for _ in 0..1000 {
        let id = pair.open("");
        assert_eq!(id.slot(), 0);
        assert!(last < Some(id));
        last = Some(id);
        pair.exchange();
        let calls = pair.server.called();
        pair.answer(&calls[0], "");
        pair.exchange();
        assert_eq!(pair.client.answers().len(), 1);
        pair.client.connection.close(id);
    }
}
