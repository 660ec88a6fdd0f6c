//! What a caller can learn of how a call went.

use std::sync::Arc;

use parking_lot::Mutex;
use rpcnet::{CallOptions, Reason};

use super::{
    hedging::{Does, world},
    world::{World, ms},
};
use crate::{AttemptEnd, CallReport, LoadBalancing};

/// A report without names and times that the dice decide.
fn ends(report: &CallReport) -> Vec<(&'static str, bool)> {
    let end = |end: &AttemptEnd| match end {
        AttemptEnd::Answered => "answered",
        AttemptEnd::Failed(_) => "failed",
        AttemptEnd::Outrun => "outrun",
    };
    report.attempts.iter().map(|attempt| (end(&attempt.end), attempt.hedge)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_of_attempts_hedges_and_waits_also_of_a_call_that_was_answered() {
    let does = |nth, _| match nth {
        0 | 1 => Does::Panic,
        2 => Does::Answer(ms(900)),
        _ => Does::Answer(ms(10)),
    };
    let (world, _) = world(4, does).await;
    let options = CallOptions::timeout(ms(8_000)).idempotent(true).max_attempts(4).hedge_after(ms(50));
    let (answer, report) = world.client().with(options).call_with_report("do", vec![]).await;
    assert_eq!(answer.expect("the last attempt is answered")[0], 3);
    assert_eq!(ends(&report), [("failed", false), ("failed", false), ("outrun", false), ("answered", true)]);
    assert!(report.hedged() && report.failure.is_none());
    assert!(report.waited > ms(0) && report.waited <= ms(100), "before the third: {:?}", report.waited);
    let hedge = &report.attempts[3];
    assert!(hedge.began >= report.attempts[2].began + ms(50) && report.took >= hedge.began + hedge.took);
    assert!(report.to_string().contains("(hedge) answered after"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn every_call_of_a_client_can_be_reported_and_a_failure_says_why() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let reports = Arc::<Mutex<Vec<CallReport>>>::default();
    let sink = Arc::clone(&reports);
    let client = world.client().reporting(move |report| sink.lock().push(report.clone()));
    client.call("who", vec![]).await.expect("somebody answers");
    client.call("no such method", vec![]).await.expect_err("nobody has it");
    let reports = reports.lock();
    assert_eq!(ends(&reports[0]), [("answered", false)]);
    assert_eq!(ends(&reports[1]), [("failed", false)]);
    let failure = reports[1].failure.as_ref().expect("it failed");
    assert_eq!(failure.reason(), Reason::UnknownMethod);
}
