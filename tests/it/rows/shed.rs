//! Row 4: one failure overloads the rest.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{Executed, Reason, prelude::*};
use rpcnet_cluster::{LoadBalancing, ResilientClient, SelectError, Worker, WorkerRegistry};

use super::{Desk, Mood, Plant, ms, worker};

/// Makes so many calls at once; the errors of those that failed.
async fn at_once(client: &ResilientClient, count: usize) -> Vec<CallError> {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call("compute", "x").await })
        })
        .collect();
    let mut errors = Vec::new();
    for call in calls {
        errors.extend(call.await.unwrap().err());
    }
    errors
}

#[tokio::test(start_paused = true)]
async fn row_4_calls_are_shed_only_when_every_eligible_worker_is_over_its_load_and_the_error_says_so() {
    let plant =
        Plant::with(2, LoadBalancing::LeastConnections, |node| node.capacity(10), |server| server).await;
    // Has room, and is not asked: it is no worker of this client's.
    let idle = Desk::new(Mood::Takes(ms(10)));
    let painter = worker(&plant.cluster, "painter", &idle).tag("role", "painter").capacity(10);
    painter.start().await;
    plant.cluster.converged().await;
    let client = plant.client().with(CallOptions::new().max_load(0.8));

    assert!(at_once(&client, 16).await.is_empty(), "eight of ten, and eight of ten");
    let errors = at_once(&client, 20).await;
    assert_eq!((errors.len(), idle.begun()), (4, 0));
    for error in errors {
        assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
        let text = error.to_string();
        assert!(text.contains("compute: shed") && text.contains("each of the 2 workers"), "{text}");
        assert!(text.contains("`max_load` (0.8 of its capacity)"), "{text}");
    }
    assert!(plant.desks.iter().all(|desk| desk.running_most() == 8));
    assert!(at_once(&client, 16).await.is_empty(), "room that was used is there again");
    assert_eq!(plant.in_flight(), 0);
}

/// Somebody may have had room, and failed.
#[tokio::test(start_paused = true)]
async fn row_4_a_call_that_is_shed_after_it_was_tried_says_by_whom() {
    let plant =
        Plant::with(2, LoadBalancing::LeastConnections, |node| node.capacity(1), |server| server).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(2_000))));
    let client = plant.client().with(CallOptions::new().idempotent(true).max_load(1.0));
    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.call("compute", "x").await })
    };
    let calls = [call(), call()];
    tokio::time::sleep(ms(50)).await;
    assert!(plant.desks.iter().all(|desk| desk.running() == 1));
    plant.workers[0].kill();
    let mut ended = Vec::new();
    for call in calls {
        ended.push(call.await.unwrap());
    }
    let error = ended.into_iter().find_map(Result::err).expect("one of them is shed");
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::Unknown));
    let tried: Vec<_> = super::blamed(&error).into_iter().map(|(label, _)| label).collect();
    assert!(!tried.is_empty() && tried.iter().all(|label| label == "a"), "{tried:?}");
    let text = error.to_string();
    assert!(text.contains("each of the 2 workers is out of use or has as many calls in flight"), "{text}");
    assert!(text.contains("; tried before: a: "), "{text}");
}

/// The loop that the situation is known by, with the two faults it is usually written with mended.
async fn below(registry: &WorkerRegistry, max_load: f64) -> Result<Option<Worker>, SelectError> {
    let worker = registry.select_worker(Some("role=worker"))?;
    let load = f64::from(worker.active_connections()) / f64::from(worker.capacity.max(1));
    Ok((worker.capacity == 0 || load < max_load).then_some(worker))
}

#[tokio::test(start_paused = true)]
async fn row_4_a_program_can_shed_by_itself_from_what_the_registry_knows() {
    let plant =
        Plant::with(2, LoadBalancing::LeastConnections, |node| node.capacity(5), |server| server).await;
    let registry = plant.director.registry();
    let (mut calls, mut shed) = (Vec::new(), 0);
    for _ in 0..30 {
        match below(&registry, 0.8).await.unwrap() {
            Some(worker) => calls.push(tokio::spawn(async move { worker.call("compute", "x").await })),
            None => shed += 1,
        }
        // So that the call has begun before the next one looks.
        tokio::task::yield_now().await;
    }
    assert_eq!((calls.len(), shed), (8, 22), "four of five, and four of five");
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(below(&registry, 0.8).await.unwrap().is_some());
    assert_eq!(plant.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn row_4_a_capacity_of_nothing_is_no_division_by_zero_and_sheds_nothing() {
    let plant = Plant::of(2, LoadBalancing::LeastConnections).await;
    let registry = plant.director.registry();
    assert!(registry.workers().iter().all(|worker| worker.capacity == 0));
    for max_load in [0.0, 0.8, f64::NAN, f64::INFINITY] {
        let client = plant.client().with(CallOptions::new().max_load(max_load));
        assert!(at_once(&client, 200).await.is_empty(), "max_load {max_load}");
    }
    assert!(below(&registry, 0.8).await.unwrap().is_some());
    let table = rpcnet_cluster::health_dashboard(&registry).to_string();
    assert!(!table.contains("NaN") && !table.contains("inf"), "{table}");
}

/// What became of the calls of a load that three workers cannot carry and four can.
#[derive(Default)]
struct Toll {
    answered: usize,
    shed: usize,
    /// Calls that were shed while somebody had room.
    shed_too_soon: usize,
    others: Vec<String>,
}

/// Calls 1 500 times a second: more than three workers of ten at once serve, some 22 ms each, and fewer than four.
async fn load(plant: &Plant, client: &ResilientClient, lasts: Duration) -> Toll {
    let (toll, registry) = (Arc::<Mutex<Toll>>::default(), plant.director.registry());
    let mut calls = Vec::new();
    for number in 0..lasts.as_millis() * 3 / 2 {
        let (client, toll, registry) = (client.clone(), Arc::clone(&toll), registry.clone());
        calls.push(tokio::spawn(async move {
            let result = client.call("compute", "x").await;
            let room = |worker: &Worker| worker.is_healthy() && worker.active_connections() < 10;
            let somebody_had_room = registry.workers().iter().any(room);
            let mut toll = toll.lock();
            match result {
                Ok(_) => toll.answered += 1,
                Err(error) if error.to_string().contains("max_load") => {
                    toll.shed += 1;
                    toll.shed_too_soon += usize::from(somebody_had_room);
                }
                Err(error) => toll.others.push(error.to_string()),
            }
        }));
        if number % 3 != 0 {
            tokio::time::sleep(ms(1)).await;
        }
    }
    for call in calls {
        call.await.unwrap();
    }
    std::mem::take(&mut *toll.lock())
}

#[tokio::test(start_paused = true)]
async fn row_4_the_failure_of_one_worker_does_not_take_the_others_along() {
    let limited = |server: rpcnet::ServerBuilder| server.running_max(10).queued_max(0);
    let plant = Plant::with(4, LoadBalancing::LeastConnections, |node| node.capacity(10), limited).await;
    plant.desks.iter().for_each(|desk| desk.becomes(Mood::Takes(ms(20))));
    let client = plant.client().with(CallOptions::timeout(ms(1_000)).idempotent(true).max_load(1.0));
    let before = load(&plant, &client, ms(2_000)).await;
    assert_eq!((before.shed, before.others), (0, vec![]), "four carry it");

    plant.workers[1].kill();
    let during = load(&plant, &client, ms(5_000)).await;
    assert_eq!(
        (during.shed_too_soon, during.others),
        (0, vec![]),
        "nothing but calls that nobody had room for"
    );
    assert!(during.shed > 0, "three do not carry it");
    let served = during.answered as f64 / 5.0;
    assert!(served >= 1_250.0, "they serve what they can: {served} a second");
    let registry = plant.director.registry();
    let left = registry.workers().into_iter().filter(|worker| &*worker.label != "b");
    assert!(left.into_iter().all(|worker| worker.is_healthy()), "nobody else was lost");
    assert!(plant.desks.iter().all(|desk| desk.running_most() <= 10), "nor had more than it can carry");

    let (again, desk) = (&plant.cluster, Desk::new(Mood::Takes(ms(20))));
    worker(again, "b", &desk).capacity(10).serve(limited).start().await;
    plant.cluster.converged().await;
    tokio::time::sleep(ms(10_500)).await;
    let after = load(&plant, &client, ms(2_000)).await;
    assert_eq!((after.shed, after.others), (0, vec![]), "four carry it again");
    assert_eq!(plant.in_flight(), 0);
}
