//! Row 5: a passing error.

use std::{collections::BTreeSet, time::Duration};

use rpcnet::{Executed, Reason, ServerBuilder, prelude::*};
use rpcnet_cluster::{CallReport, LoadBalancing, Resilience, ResilientClient, testkit::TestNode};

use super::{Mood, Plant, blamed, ms};

/// The ways in which all of three workers fail a call, one for each class of failure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// Class A.
    Gone,
    /// Class B.
    Full,
    /// Class C.
    Hangs,
    /// Class D.
    Declines,
    /// Class E.
    Panics,
    /// Class F.
    Unknown,
}

impl Trouble {
    /// Makes it, and says which method meets it.
    async fn befall(self, plant: &Plant) -> &'static str {
        let all = |mood| plant.desks.iter().for_each(|desk| desk.becomes(mood));
        match self {
            Trouble::Gone => plant.workers.iter().for_each(TestNode::kill),
            Trouble::Full => {
                all(Mood::Takes(ms(60_000)));
                for worker in plant.director.registry().workers() {
                    tokio::spawn(async move { worker.call("compute", "x").await });
                }
                tokio::time::sleep(ms(10)).await;
            }
            Trouble::Hangs => all(Mood::Takes(ms(60_000))),
            Trouble::Declines => all(Mood::Declines),
            Trouble::Panics => all(Mood::Panics(ms(1))),
            Trouble::Unknown => return "no such method",
        }
        "compute"
    }
}

fn one_at_a_time(server: ServerBuilder) -> ServerBuilder {
    server.running_max(1).queued_max(0)
}

/// Attempts of a call, and executions it caused.
async fn sent(trouble: Trouble, options: CallOptions) -> (usize, usize) {
    let server = if trouble == Trouble::Full { one_at_a_time } else { |server| server };
    let plant = Plant::with(3, LoadBalancing::RoundRobin, |node| node, server).await;
    let method = trouble.befall(&plant).await;
    let before = plant.begun();
    let client = plant.client().wait_for_ready(ms(0)).with(options);
    let (answer, report) = client.call_with_report(method, "x").await;
    answer.unwrap_err();
    assert!(report.took <= ms(2_005), "{trouble:?}: {report}");
    (report.attempts.len(), plant.begun() - before)
}

#[tokio::test(start_paused = true)]
async fn row_5_only_what_may_be_repeated_is_repeated() {
    // Attempts of a call that must not run twice, and of one that may; whether an attempt is an execution.
    let table = [
        (Trouble::Gone, 3, 3, false),
        (Trouble::Full, 3, 3, false),
        (Trouble::Hangs, 1, 2, true),
        (Trouble::Declines, 1, 1, true),
        (Trouble::Panics, 1, 3, true),
        (Trouble::Unknown, 1, 1, false),
    ];
    for (trouble, once, repeatable, runs) in table {
        for (options, attempts) in [
            (CallOptions::timeout(ms(2_000)), once),
            (CallOptions::timeout(ms(2_000)).idempotent(true), repeatable),
        ] {
            let executions = if runs { attempts } else { 0 };
            assert_eq!(sent(trouble, options).await, (attempts, executions), "{trouble:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_5_the_methods_of_a_trait_say_themselves_what_may_be_repeated() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Panics(ms(1))));
    let compute = super::ComputeClient::new(plant.client());
    assert_eq!(blamed(&forget(compute.square(3).await)).len(), 3);
    assert_eq!(blamed(&forget(compute.launch().await)).len(), 1);
    assert_eq!(blamed(&forget(compute.charge(Uuid::from_u128(1)).await)).len(), 1);
    assert_eq!(plant.begun(), 5);
}

/// The error of a typed call as that of an untyped one.
fn forget<T: std::fmt::Debug>(result: Result<T, CallError<rpcnet::AppError>>) -> CallError {
    match result.unwrap_err() {
        CallError::OutcomeUnknown(status) => CallError::OutcomeUnknown(status),
        CallError::Status(status) => CallError::Status(status),
        other => panic!("{other}"),
    }
}

/// A client whose calls all fail at the only worker, and are repeated as these settings say.
async fn stubborn(settings: Resilience) -> (Plant, ResilientClient) {
    let plant = Plant::of(1, LoadBalancing::RoundRobin).await;
    plant.desks[0].becomes(Mood::Panics(ms(1)));
    let client = plant.client().resilience(settings).with(CallOptions::timeout(ms(30_000)).idempotent(true));
    (plant, client)
}

/// How long nobody was asked, before each resend.
fn gaps(report: &CallReport) -> Vec<Duration> {
    let pairs = report.attempts.windows(2);
    pairs.map(|pair| pair[1].began - (pair[0].began + pair[0].took)).collect()
}

#[tokio::test(start_paused = true)]
async fn row_5_waits_double_from_a_base_to_a_cap_and_are_spread_by_full_jitter() {
    let generous = Resilience::default().retry_share(1.0).retry_reserve(10_000).throttle(false);
    let settings = generous.attempts_max(8).backoff(ms(100), ms(800));
    let (_plant, client) = stubborn(settings).await;
    let mut waits: Vec<Vec<Duration>> = vec![Vec::new(); 7];
    for _ in 0..60 {
        let (_, report) = client.call_with_report("compute", "x").await;
        assert_eq!(report.attempts.len(), 8, "{report}");
        for (waits, gap) in waits.iter_mut().zip(gaps(&report)) {
            waits.push(gap);
        }
    }
    for (waits, most) in waits.iter().zip([100, 200, 400, 800, 800, 800, 800].map(ms)) {
        // The clock of a test counts in milliseconds.
        let longest = waits.iter().max().copied().unwrap();
        assert!(longest <= most + ms(2) && longest > most / 2, "up to {most:?}: {waits:?}");
        let different: BTreeSet<_> = waits.iter().map(Duration::as_millis).collect();
        assert!(different.len() > 25, "callers that failed together do not come back together: {waits:?}");
        let mean = waits.iter().sum::<Duration>() / waits.len() as u32;
        assert!(mean > most * 3 / 10 && mean < most * 7 / 10, "half of it on average: {mean:?} of {most:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_5_no_resend_and_no_wait_goes_beyond_the_deadline() {
    let generous = Resilience::default().retry_share(1.0).retry_reserve(10_000).throttle(false);
    let (_plant, client) = stubborn(generous.attempts_max(1_000).backoff(ms(100), ms(5_000))).await;
    for timeout in [50, 300, 1_000, 3_000].map(ms) {
        let client = client.with(CallOptions::timeout(timeout));
        let (answer, report) = client.call_with_report("compute", "x").await;
        assert_eq!(answer.unwrap_err().executed(), Executed::Yes);
        assert!(report.took <= timeout + ms(1), "{timeout:?}: {report}");
        assert!(report.attempts.iter().all(|attempt| attempt.began < timeout), "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_5_resends_of_all_calls_together_stay_within_the_budget() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Panics(ms(1))));
    let client = plant.client().with(CallOptions::timeout(ms(2_000)).idempotent(true));
    let (calls, mut exhausted) = (1_000, 0);
    for _ in 0..calls {
        let error = client.call("compute", "x").await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::Panicked), "the original error: {error}");
        exhausted += usize::from(error.to_string().contains("retry_budget_exhausted"));
        tokio::time::sleep(ms(2)).await;
    }
    // All within ten seconds: a fifth of the calls, and three resends for each of the seconds.
    let resends = plant.begun() - calls;
    assert!(resends <= calls / 5 + 30 && resends > calls / 10, "{resends} resends of {calls} calls");
    assert!(exhausted > calls / 2, "and those who could not be repeated were told: {exhausted}");
}
