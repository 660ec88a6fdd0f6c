//! Row 12: a call takes too long.

use rpcnet::prelude::*;
use rpcnet_cluster::{AttemptEnd, LoadBalancing, ResilientClient};
use tokio::time::Instant;

use super::{ComputeClient, Desk, Mood, Plant, ms};

fn hedging(plant: &Plant, after: u64) -> ResilientClient {
    let options = CallOptions::timeout(ms(8_000)).idempotent(true).hedge_after(ms(after));
    plant.client().with(options)
}

#[tokio::test(start_paused = true)]
async fn row_12_a_second_worker_answers_a_call_that_takes_long_and_the_first_is_told_to_stop() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks[0].becomes(Mood::Takes(ms(5_000)));
    let client = hedging(&plant, 50);
    let mut hedged = 0;
    for _ in 0..18 {
        let (answer, report) = client.call_with_report("compute", "x").await;
        assert_eq!(answer.unwrap(), "x");
        assert!(report.took < ms(80), "50 ms alone, and an answer of 10: {report}");
        let [first, rest @ ..] = &report.attempts[..] else { panic!("{report}") };
        if &*first.label != "a" {
            assert!(rest.is_empty() && !first.hedge, "answered in time, and sent once: {report}");
            continue;
        }
        let [second] = rest else { panic!("{report}") };
        assert!(matches!((&first.end, &second.end), (AttemptEnd::Outrun, AttemptEnd::Answered)), "{report}");
        assert!(second.hedge && second.worker != first.worker, "another worker for certain: {report}");
        hedged += 1;
        tokio::time::sleep(ms(5)).await;
        assert_eq!((plant.desks[0].running(), plant.desks[0].done()), (0, 0), "the loser was cancelled");
    }
    assert!(hedged >= 5, "{hedged}");
    assert_eq!(plant.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn row_12_the_first_good_answer_wins_and_a_fast_failure_is_none() {
    let plant = Plant::of(2, LoadBalancing::RoundRobin).await;
    plant.desks[0].becomes(Mood::Takes(ms(300)));
    plant.desks[1].becomes(Mood::Panics(ms(1)));
    let client = hedging(&plant, 50);
    for _ in 0..6 {
        let (answer, report) = client.call_with_report("compute", "x").await;
        assert_eq!(answer.unwrap(), "x", "{report}");
        let answered: Vec<_> =
            report.attempts.iter().filter(|attempt| matches!(attempt.end, AttemptEnd::Answered)).collect();
        assert!(answered.len() == 1 && &*answered[0].label == "a", "{report}");
    }
    assert_eq!(plant.desks[0].done(), 6, "none of them was cancelled for a failure");
}

#[tokio::test(start_paused = true)]
async fn row_12_hedges_stay_within_their_budget_when_everybody_is_slow() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(100))));
    let client = hedging(&plant, 20);
    for _ in 0..400 {
        client.call("compute", "x").await.unwrap();
    }
    let more = plant.begun() - 400;
    assert!((1..=10 + 400 / 20).contains(&more), "{more} more executions than calls");
}

/// Nothing but the word `hedge` in the trait.
#[tokio::test(start_paused = true)]
async fn row_12_a_marked_method_is_hedged_by_what_is_usual_for_it() {
    let plant = Plant::of(4, LoadBalancing::RoundRobin).await;
    let compute = ComputeClient::new(plant.client());
    for _ in 0..200 {
        compute.look().await.unwrap();
    }
    assert_eq!(plant.begun(), 200, "nothing out of the ordinary, and no hedge");
    plant.desks[2].becomes(Mood::Takes(ms(5_000)));
    for _ in 0..20 {
        let begun = Instant::now();
        compute.look().await.unwrap();
        assert!(begun.elapsed() < ms(60), "{:?}", begun.elapsed());
    }
    let hedges = plant.begun() - 220;
    assert!((4..=10).contains(&hedges), "{hedges}");
}

#[tokio::test(start_paused = true)]
async fn row_12_what_must_not_run_twice_is_never_hedged() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(300))));
    let eager = CallOptions::new().hedge_after(ms(1));
    let compute = ComputeClient::new(plant.client()).with(eager.clone());
    compute.launch().await.unwrap();
    compute.charge(Uuid::from_u128(7)).await.unwrap();
    plant.client().with(eager).call("compute", "x").await.unwrap();
    assert_eq!((plant.begun(), plant.desks.iter().map(Desk::done).sum::<usize>()), (3, 3));
    compute.square(3).await.unwrap();
    assert_eq!(plant.begun(), 5, "which this one may");
}
