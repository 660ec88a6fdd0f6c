//! Row 6: a worker fails a call.

use std::collections::BTreeMap;

use rpcnet::{Executed, Reason, prelude::*};
use rpcnet_cluster::{Balancer, Candidate, FailedAttempts, LoadBalancing, Pick, Strategy};

use super::{Mood, Plant, blamed, ms, tried};

fn idempotent(attempts: u32) -> CallOptions {
    CallOptions::new().idempotent(true).max_attempts(attempts)
}

#[tokio::test(start_paused = true)]
async fn row_6_a_call_fails_over_to_each_of_the_others_before_anybody_is_asked_twice() {
    for balancing in [LoadBalancing::RoundRobin, LoadBalancing::PeakEwma, LoadBalancing::Consistent] {
        for attempts in 1..=7 {
            let plant = Plant::of(3, balancing).await;
            plant.desks.iter().for_each(|desk| desk.becomes(Mood::Panics(ms(1))));
            let client = plant.client().with(idempotent(attempts as u32));
            let (answer, report) = client.call_with_report("compute", "x").await;
            let (error, tried) = (answer.unwrap_err(), tried(&report));
            assert_eq!(tried.len(), attempts, "{balancing:?}: as often as it may be sent: {report}");
            for round in tried.chunks(3) {
                let mut once = round.to_vec();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), round.len(), "{balancing:?}: {tried:?}");
            }
            assert_eq!(blamed(&error).len(), attempts);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_6_the_last_error_lists_who_was_tried_where_and_why_each_failed() {
    let plant =
        Plant::with(3, LoadBalancing::RoundRobin, |node| node, |server| server.running_max(1).queued_max(0))
            .await;
    plant.desks[0].becomes(Mood::Panics(ms(1)));
    plant.desks[1].becomes(Mood::Takes(ms(60_000)));
    let registry = plant.director.registry();
    let busy = registry.workers().into_iter().find(|worker| &*worker.label == "b").unwrap();
    let busy = tokio::spawn(async move { busy.call("compute", "x").await });
    plant.workers[2].kill();
    tokio::time::sleep(ms(5)).await;

    let error = plant.client().with(idempotent(3)).call("compute", "x").await.unwrap_err();
    assert_ne!(error.executed(), Executed::No, "one of them began it");
    let found: BTreeMap<_, _> = blamed(&error).into_iter().collect();
    let expected = [("a", Reason::Panicked), ("b", Reason::Overloaded), ("c", Reason::ConnectFailed)];
    assert_eq!(found, expected.map(|(label, reason)| (label.to_owned(), reason)).into());
    let text = error.to_string();
    for (label, why) in [("a", "panicked"), ("b", "queued_max"), ("c", "nobody listens at 10.0.0.4:7000")] {
        let (_, told) = text.split_once(&format!("{label}: ")).unwrap_or_else(|| panic!("{label}: {text}"));
        assert!(told.split("; ").next().unwrap().contains(why), "{label}: {why}: {text}");
    }
    let attempts = error.status().and_then(FailedAttempts::of).unwrap();
    assert!(attempts.iter().all(|attempt| attempt.addr.port() == 7_000 && attempt.took < ms(10)));
    busy.abort();
}

/// Always the first it is shown, as a program's own selector may be.
#[derive(Debug)]
struct First;

impl Strategy for First {
    fn pick(&mut self, _: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
        0
    }
}

#[tokio::test(start_paused = true)]
async fn row_6_a_strategy_that_always_says_the_same_does_not_keep_a_call_at_a_worker_that_fails() {
    let deterministic: [Balancer; 2] = [Balancer::custom(|| First), LoadBalancing::Consistent.into()];
    for balancing in deterministic {
        let plant = Plant::of(3, balancing).await;
        let client = plant.client().with(idempotent(3).affinity("ann"));
        let (_, report) = client.call_with_report("compute", "x").await;
        let own = tried(&report)[0].clone();
        let place = ["a", "b", "c"].iter().position(|label| *label == own).unwrap();
        plant.desks[place].becomes(Mood::Panics(ms(1)));
        let (answer, report) = client.call_with_report("compute", "x").await;
        assert_eq!(answer.unwrap(), "x", "another one answers");
        assert_eq!((report.attempts.len(), &tried(&report)[0]), (2, &own), "{report}");
    }
}

/// Also where all of them fail for ever: the call ends.
#[tokio::test(start_paused = true)]
async fn row_6_failover_ends_when_everybody_is_gone() {
    let plant = Plant::of(3, Balancer::custom(|| First)).await;
    plant.workers.iter().for_each(rpcnet_cluster::testkit::TestNode::kill);
    let begun = tokio::time::Instant::now();
    let error = plant.client().with(idempotent(1_000)).call("compute", "x").await.unwrap_err();
    assert_eq!(error.executed(), Executed::No, "{error}");
    assert!(begun.elapsed() <= CallOptions::TIMEOUT_DEFAULT, "{:?}", begun.elapsed());
}
