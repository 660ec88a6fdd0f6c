//! Workers become slow or fail while calls are made: who gets them then.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, CallOptions, Server};

use super::world::{World, ip, ms};
use crate::{
    Balancer, Candidate, LoadBalancing, Pick, Strategy, membership::ClusterEvent::NodeJoined,
    registry::testing::node,
};

/// What a worker does with its calls.
#[derive(Clone, Copy)]
enum Mood {
    Takes(Duration),
    Panics,
}

/// Workers with their moods, and who was called how often.
#[derive(Clone, Default)]
struct Moods(Arc<Mutex<BTreeMap<u8, (Mood, u32)>>>);

impl Moods {
    fn set(&self, number: u8, mood: Mood) {
        self.0.lock().insert(number, (mood, 0));
    }

    fn called(&self, number: u8) -> u32 {
        self.0.lock()[&number].1
    }

    async fn answer(self, number: u8) -> Result<Bytes, AppError> {
        let mood = {
            let mut moods = self.0.lock();
            let (mood, calls) = moods.get_mut(&number).expect("every worker has a mood");
            *calls += 1;
            *mood
        };
        match mood {
            Mood::Takes(time) => tokio::time::sleep(time).await,
            Mood::Panics => panic!("as asked"),
        }
        Ok(Bytes::from(vec![number]))
    }
}

/// A world of workers that take ten milliseconds each, until told otherwise.
async fn world(workers: u8, balancing: impl Into<Balancer>) -> (World, Moods) {
    let (world, moods) = (World::with([], balancing).await, Moods::default());
    for number in 1..=workers {
        moods.set(number, Mood::Takes(ms(10)));
        let handler = {
            let moods = moods.clone();
            move |_: Bytes| moods.clone().answer(number)
        };
        let server = Server::builder().transport(world.network.host(ip(number))).register("ask", handler);
        tokio::spawn(server.bind(SocketAddr::new(ip(number), 80)).await.expect("the port is free").serve());
        world.cluster.tell(NodeJoined(node(number, 1)));
    }
    // Long enough for nobody to be new any more.
    tokio::time::sleep(ms(10_001)).await;
    (world, moods)
}

/// A call every two milliseconds, each for itself; how many failed.
async fn calls(world: &World, count: u32, options: CallOptions) -> u32 {
    let client = world.client().with(options);
    let mut calls = Vec::new();
    for _ in 0..count {
        let client = client.clone();
        calls.push(tokio::spawn(async move { client.call("ask", vec![]).await.is_err() }));
        tokio::time::sleep(ms(2)).await;
    }
    let mut failed = 0;
    for call in calls {
        failed += u32::from(call.await.expect("no panic"));
    }
    failed
}

#[tokio::test(start_paused = true)]
async fn row_3_a_worker_that_becomes_fifty_times_as_slow_is_left_alone_and_its_calls_go_elsewhere() {
    let (world, moods) = world(4, LoadBalancing::PeakEwma).await;
    let options = CallOptions::timeout(ms(200)).idempotent(true);
    assert_eq!(calls(&world, 500, options.clone()).await, 0);
    moods.set(2, Mood::Takes(ms(500)));
    assert_eq!(calls(&world, 2_000, options).await, 0, "the attempt times out and another worker answers");
    assert!(moods.called(2) < 20, "{} of 2000 calls went to the slow worker", moods.called(2));
    assert!(world.worker(2).latency() > Some(ms(1_000)) && world.worker(1).latency() < Some(ms(50)));
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_fails_at_once_attracts_no_calls() {
    for balancing in [LoadBalancing::LeastConnections, LoadBalancing::PeakEwma] {
        let (world, moods) = world(4, balancing).await;
        moods.set(3, Mood::Panics);
        let failed = calls(&world, 1_000, CallOptions::new()).await;
        assert_eq!(failed, moods.called(3));
        assert!(failed < 50, "{balancing:?}: {failed} of 1000 calls went to the worker that fails");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_of_one_key_go_to_one_worker_and_keys_to_all() {
    let (world, moods) = world(3, LoadBalancing::Consistent).await;
    let mut owners = BTreeMap::new();
    for round in 0..3 {
        for user in 0..60_u8 {
            let client = world.client().with(CallOptions::new().affinity([user]));
            let owner = client.call("ask", vec![]).await.expect("answered")[0];
            assert_eq!(*owners.entry(user).or_insert(owner), owner, "user {user}, round {round}");
        }
    }
    assert!((1..=3).all(|number| moods.called(number) > 30));
}

#[tokio::test(start_paused = true)]
async fn the_latency_of_a_worker_is_known_after_its_first_answer_and_shared_by_all_clients() {
    let (world, _) = world(1, LoadBalancing::default()).await;
    assert_eq!(world.worker(1).latency(), None);
    world.client().call("ask", vec![]).await.expect("answered");
    let latency = world.worker(1).latency().expect("it has answered");
    assert!((ms(10)..ms(15)).contains(&latency), "{latency:?}");
}

/// The worker with the highest id.
#[derive(Debug)]
struct Last;

impl Strategy for Last {
    fn pick(&mut self, candidates: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
        candidates.len() - 1
    }
}

#[tokio::test(start_paused = true)]
async fn a_strategy_of_ones_own_decides() {
    let (world, moods) = world(3, Balancer::custom(|| Last)).await;
    assert_eq!(calls(&world, 20, CallOptions::new()).await, 0);
    assert_eq!([1, 2, 3].map(|number| moods.called(number)), [0, 0, 20]);
    assert_eq!(&*world.registry.select_worker(None).expect("three are there").label, "worker-3");
}
