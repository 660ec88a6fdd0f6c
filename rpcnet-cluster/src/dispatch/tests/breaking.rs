//! Workers whose calls fail are left alone for a while.

use rpcnet::CallOptions;

use super::{
    hedging::{Does, Runs, world},
    world::ms,
};

/// How often a worker was called.
fn of(runs: &Runs, worker: u8) -> usize {
    runs.lock().iter().filter(|(number, _)| *number == worker).count()
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_fails_fast_gets_a_probe_now_and_then() {
    let does = |_, worker| if worker == 1 { Does::Panic } else { Does::Answer(ms(5)) };
    let (world, runs) = world(4, does).await;
    let client = world.client().with(CallOptions::new().idempotent(true));
    for _ in 0..1_000 {
        client.call("do", vec![]).await.expect("another worker answers");
        tokio::time::sleep(ms(10)).await;
    }
    let failed = of(&runs, 1);
    assert!((6..=10).contains(&failed), "five to find out, then a probe each 1, 2, 4 s: {failed}");
    assert!(world.worker(1).is_degraded());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_well_again_has_its_part_after_one_probe() {
    let (world, runs) =
        world(2, |nth, worker| if worker == 1 && nth < 30 { Does::Panic } else { Does::Answer(ms(5)) }).await;
    let client = world.client().with(CallOptions::new().idempotent(true));
    for _ in 0..400 {
        client.call("do", vec![]).await.expect("another worker answers");
        tokio::time::sleep(ms(10)).await;
    }
    assert!(world.worker(1).is_healthy());
    let before = of(&runs, 1);
    for _ in 0..100 {
        client.call("do", vec![]).await.expect("it answers");
    }
    assert_eq!(of(&runs, 1) - before, 50);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_no_more_than_a_third_is_left_alone() {
    let (world, runs) = world(6, |_, _| Does::Panic).await;
    let client = world.client().with(CallOptions::new().max_attempts(1).idempotent(true));
    for _ in 0..600 {
        client.call("do", vec![]).await.expect_err("all of them panic");
    }
    let counts: Vec<usize> = (1..=6).map(|worker| of(&runs, worker)).collect();
    assert_eq!(counts.iter().sum::<usize>(), 600, "each call got somewhere");
    assert!(counts.iter().filter(|count| **count > 100).count() >= 4, "{counts:?}");
}
