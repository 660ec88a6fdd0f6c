//! Row 15: a call hangs, and nobody said how long it may.

use std::time::Duration;

use rpcnet::{Reason, prelude::*};
use rpcnet_cluster::{AttemptEnd, CallReport, LoadBalancing, ResilientClient};

use super::{Mood, Plant, ms};

/// Calls until one is sent to worker `b` first.
async fn first_at_b(client: &ResilientClient) -> (Result<bytes::Bytes, CallError>, CallReport) {
    for _ in 0..3 {
        let (answer, report) = client.call_with_report("compute", "x").await;
        if &*report.attempts[0].label == "b" {
            return (answer, report);
        }
    }
    panic!("it was not the turn of b");
}

/// How long the first attempt took, and why it failed.
fn first(report: &CallReport) -> (Duration, Reason) {
    let AttemptEnd::Failed(status) = &report.attempts[0].end else { panic!("{report}") };
    (report.attempts[0].took, status.reason())
}

/// As long as is said, on a clock that counts in milliseconds.
fn is(took: Duration, said: Duration) -> bool {
    (said - ms(2)..=said + ms(5)).contains(&took)
}

#[tokio::test(start_paused = true)]
async fn row_15_opening_a_connection_ends_before_an_attempt_does_and_an_attempt_before_the_call() {
    let nothing_said = CallOptions::new();
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.cluster.cut(&plant.director, &plant.workers[1]);
    let (answer, report) = first_at_b(&plant.client().with(nothing_said.clone())).await;
    assert_eq!(answer.unwrap(), "x", "nothing was sent to it, so another one has the call");
    let (connect, why) = first(&report);
    assert_eq!(why, Reason::ConnectFailed);

    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks[1].becomes(Mood::Takes(ms(60_000)));
    let (answer, report) = first_at_b(&plant.client().with(nothing_said.clone().idempotent(true))).await;
    assert_eq!(answer.unwrap(), "x", "it may run twice, so another one has it too");
    let (attempt, why) = first(&report);
    assert_eq!(why, Reason::Deadline);

    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(60_000))));
    let mut total = Duration::ZERO;
    for options in [nothing_said.clone(), nothing_said.idempotent(true)] {
        let (answer, report) = plant.client().with(options).call_with_report("compute", "x").await;
        let error = answer.unwrap_err();
        assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error:?}");
        assert_eq!(error.reason(), Some(Reason::Deadline));
        total = report.took;
        assert!(is(total, CallOptions::TIMEOUT_DEFAULT), "{total:?}");
    }
    assert!(is(connect, ms(1_000)) && is(attempt, ms(5_000)), "{connect:?}, {attempt:?}");
    assert!(connect < attempt && attempt < total);
    tokio::time::sleep(ms(10)).await;
    let running: usize = plant.desks.iter().map(super::Desk::running).sum();
    assert_eq!((running, plant.in_flight()), (0, 0), "and nobody works for it any more");
}

/// However short the deadline: each is a part of what it is in.
#[tokio::test(start_paused = true)]
async fn row_15_the_order_holds_for_any_deadline() {
    for timeout in [40, 300, 1_000, 3_000].map(ms) {
        let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
        plant.cluster.cut(&plant.director, &plant.workers[1]);
        let options = CallOptions::timeout(timeout).idempotent(true);
        let (answer, report) = first_at_b(&plant.client().with(options)).await;
        assert_eq!(answer.unwrap(), "x", "{timeout:?}: {report}");
        let (connect, _) = first(&report);
        assert!(connect <= timeout / 4 + ms(2), "half of the attempt's half: {timeout:?}: {report}");
        assert!(report.took < timeout, "{timeout:?}: {report}");
    }
}
