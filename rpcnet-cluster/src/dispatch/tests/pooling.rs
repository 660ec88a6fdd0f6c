//! Connections are shared and counted.

use std::sync::atomic::Ordering;

use rpcnet::{CallOptions, Reason};
use tokio::time::Instant;

use super::world::{World, ms, settled};
use crate::{LoadBalancing, membership::ClusterEvent::NodeJoined, registry::testing::node};

#[tokio::test(start_paused = true)]
async fn many_first_calls_open_one_connection_to_each_worker() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let client = world.client();
            tokio::spawn(async move { client.call("who", vec![]).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("answered");
    }
    assert_eq!(world.dials.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn many_calls_wait_for_one_dial_and_learn_of_its_failure_together() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    world.cut(1);
    let client = world.client().wait_for_ready(ms(0));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("who", vec![]).await })
        })
        .collect();
    for call in calls {
        let error = call.await.expect("no panic").expect_err("nobody answers");
        assert_eq!(error.reason(), Some(Reason::ConnectFailed));
    }
    assert_eq!(world.dials.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_find_nobody_do_not_dial_each_for_itself() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    world.kill(1);
    let client = world.client().wait_for_ready(ms(0));
    let begun = Instant::now();
    while begun.elapsed() < ms(1_000) {
        client.call("who", vec![]).await.expect_err("nobody listens");
        tokio::time::sleep(ms(1)).await;
    }
    let dials = world.dials.load(Ordering::Relaxed);
    assert!((2..=20).contains(&dials), "{dials} dials in a second");
}

#[tokio::test(start_paused = true)]
async fn after_a_second_without_anybody_every_worker_takes_its_part_again_within_two() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let client = world.client().wait_for_ready(ms(0));
    (1..=3).for_each(|number| world.kill(number));
    let begun = Instant::now();
    while begun.elapsed() < ms(1_000) {
        client.call("who", vec![]).await.expect_err("nobody listens");
        tokio::time::sleep(ms(5)).await;
    }
    for number in 1..=3 {
        world.start(number).await;
    }
    while begun.elapsed() < ms(3_000) {
        let _ = client.call("who", vec![]).await;
        tokio::time::sleep(ms(5)).await;
    }
    assert!((1..=3).all(|number| world.worker(number).is_healthy()));
}

#[tokio::test(start_paused = true)]
async fn active_connections_counts_what_is_in_flight_and_nothing_else() {
    let world = World::with(1..=2, LoadBalancing::LeastConnections).await;
    let client = world.client();
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("work", vec![]).await })
        })
        .collect();
    settled().await;
    assert_eq!([world.worker(1), world.worker(2)].map(|worker| worker.active_connections()), [5, 5]);
    for (index, call) in calls.into_iter().enumerate() {
        if index % 2 == 0 {
            call.abort();
        }
        let _ = call.await;
    }
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_cancellations_and_failures_leaves_nothing_counted() {
    let world = World::with(1..=4, LoadBalancing::Random).await;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..20_u64 {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let options = CallOptions::timeout(ms(random.u64(1..200))).idempotent(random.bool());
                let (client, name) =
                    (world.client().with(options), random.choice(["who", "work", "tremble", "none"]));
                let name = name.expect("there are four");
                let call = tokio::spawn(async move { client.call(name, vec![0; 100]).await });
                (call, ms(random.u64(..150)))
            })
            .collect();
        let victim = random.u8(1..=4);
        world.kill(victim);
        for (call, patience) in calls {
            let abort = call.abort_handle();
            if tokio::time::timeout(patience, call).await.is_err() {
                abort.abort();
            }
        }
        world.start(victim).await;
        world.cluster.tell(NodeJoined(node(victim, round + 2)));
        settled().await;
        assert_eq!(world.in_flight(), 0, "after round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_can_be_called_by_itself() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let worker = world.registry.select_worker(Some("role=worker")).expect("two are there");
    let number = worker.call("who", vec![]).await.expect("it answers")[0];
    world.kill(number);
    settled().await;
    let error = worker.call("work", vec![]).await.expect_err("it is dead, and nobody else is tried");
    assert_eq!(error.reason(), Some(Reason::ConnectFailed));
    assert!(worker.is_degraded());
}
