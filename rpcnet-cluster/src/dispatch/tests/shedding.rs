//! Calls that are not sent, because it would do no good.

use rpcnet::{CallOptions, Executed, Reason};

use super::world::{World, ms, settled};
use crate::{LoadBalancing, Resilience, membership::ClusterEvent::NodeJoined, registry::testing::node};

/// Workers that say what they can carry.
async fn with_capacity(capacities: &[u32]) -> World {
    let world = World::with([], LoadBalancing::LeastConnections).await;
    for (number, capacity) in (1..).zip(capacities) {
        world.start(number).await;
        world.cluster.tell(NodeJoined(crate::Node { capacity: *capacity, ..node(number, 1) }));
    }
    settled().await;
    world
}

/// How many of so many calls at once are shed under a load of a half.
async fn shed(world: &World, calls: usize) -> usize {
    let client = world.client().with(CallOptions::new().max_load(0.5));
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("work", vec![]).await })
        })
        .collect();
    let mut shed = 0;
    for call in calls {
        if let Err(error) = call.await.expect("no panic") {
            assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
            assert!(error.to_string().contains("max_load"), "{error}");
            shed += 1;
        }
    }
    shed
}

#[tokio::test(start_paused = true)]
async fn row_4_calls_are_shed_only_when_every_worker_is_over_the_load() {
    let world = with_capacity(&[10, 20]).await;
    assert_eq!(shed(&world, 15).await, 0, "5 of 10 and 10 of 20");
    assert_eq!(shed(&world, 40).await, 25);
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_a_capacity_takes_what_the_others_do_not() {
    let world = with_capacity(&[4, 0]).await;
    assert_eq!(shed(&world, 500).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_out_is_no_room() {
    let world = with_capacity(&[4, 400]).await;
    world.kill(2);
    let client = world.client();
    while !world.worker(2).is_degraded() {
        let _ = client.call("who", vec![]).await;
    }
    assert_eq!(shed(&world, 20).await, 18);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_calls_are_refused_holds_most_of_them_back() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    let client = world.client();
    let refused = |client: &crate::ResilientClient| {
        let mut throttle = client.throttle().lock();
        (0..5_000).for_each(|_| throttle.handle_ended(tokio::time::Instant::now().into_std(), true));
    };
    refused(&client);
    let mut held_back = 0;
    for _ in 0..1_000 {
        if let Err(error) = client.call("who", vec![]).await {
            assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
            assert!(error.to_string().contains("held back"), "{error}");
            held_back += 1;
        }
    }
    assert!((650..=850).contains(&held_back), "{held_back} of 1000");
    tokio::time::sleep(ms(10_000)).await;
    client.call("who", vec![]).await.expect("it is forgotten");

    let unthrottled = client.resilience(Resilience::default().throttle(false));
    refused(&unthrottled);
    for _ in 0..100 {
        unthrottled.call("who", vec![]).await.expect("nothing is held back");
    }
}
