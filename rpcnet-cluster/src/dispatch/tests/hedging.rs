//! A second attempt beside the first, over connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, CallOptions, Hedge, Server};
use tokio::time::Instant;

use super::world::{World, ip, ms, settled};
use crate::{LoadBalancing, ResilientClient, membership::ClusterEvent::NodeJoined, registry::testing::node};

/// Executions of `do`, in the order in which they began: at which worker, and how far they have come.
pub(super) type Runs = Arc<Mutex<Vec<(u8, Stage)>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Begun,
    Done,
    Dropped,
}

struct Run(Runs, usize);

impl Drop for Run {
    fn drop(&mut self) {
        let stage = &mut self.0.lock()[self.1].1;
        if *stage == Stage::Begun {
            *stage = Stage::Dropped;
        }
    }
}

/// What a worker does when it is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Does {
    Answer(Duration),
    Panic,
}

/// A world with workers whose method `do` behaves as its number among all executions and the worker's say; it answers the
/// first of them.
pub(super) async fn world(
    workers: u8,
    does: impl Fn(usize, u8) -> Does + Copy + Send + Sync + 'static,
) -> (World, Runs) {
    let (world, runs) = (World::with([], LoadBalancing::RoundRobin).await, Runs::default());
    for number in 1..=workers {
        let runs = Arc::clone(&runs);
        let method = move |_: Bytes| {
            let mut list = runs.lock();
            let nth = list.len();
            list.push((number, Stage::Begun));
            let run = Run(Arc::clone(&runs), nth);
            async move {
                match does(nth, number) {
                    Does::Answer(after) => tokio::time::sleep(after).await,
                    Does::Panic => panic!("on purpose"),
                }
                run.0.lock()[nth].1 = Stage::Done;
                Ok::<_, AppError>(Bytes::from(vec![nth as u8]))
            }
        };
        let server = Server::builder().transport(world.network.host(ip(number))).register("do", method);
        tokio::spawn(server.bind(SocketAddr::new(ip(number), 80)).await.expect("the port is free").serve());
        world.cluster.tell(NodeJoined(node(number, 1)));
    }
    settled().await;
    (world, runs)
}

/// Two workers; the first execution does one thing and all others another.
async fn two(first: Does, others: Does) -> (World, Runs) {
    world(2, move |nth, _| if nth == 0 { first } else { others }).await
}

/// How far the executions have come.
fn stages(runs: &Runs) -> Vec<Stage> {
    runs.lock().iter().map(|(_, stage)| *stage).collect()
}

use Stage::{Done, Dropped};

const SLOW: Does = Does::Answer(ms(5_000));
const QUICK: Does = Does::Answer(ms(10));

fn hedging(world: &World, after: u64) -> ResilientClient {
    let options = CallOptions::timeout(ms(8_000)).idempotent(true).hedge_after(ms(after)).max_attempts(2);
    world.client().with(options)
}

#[tokio::test(start_paused = true)]
async fn the_hedge_answers_and_the_loser_is_cancelled_on_the_wire() {
    let (world, runs) = two(SLOW, QUICK).await;
    let begun = Instant::now();
    let answer = hedging(&world, 50).call("do", vec![]).await.expect("the second worker answers");
    let took = begun.elapsed();
    assert_eq!(answer[0], 1);
    assert!(took >= ms(60) && took < ms(100), "50 ms alone, 10 ms with the second: {took:?}");
    settled().await;
    assert_eq!(stages(&runs), [Dropped, Done], "the slow handler was told");
    let workers: Vec<_> = runs.lock().iter().map(|(worker, _)| *worker).collect();
    assert_ne!(workers[0], workers[1], "another worker for certain");
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_answered_in_time_is_sent_once() {
    let (world, runs) = two(QUICK, QUICK).await;
    hedging(&world, 50).call("do", vec![]).await.expect("it answers");
    assert_eq!(stages(&runs), [Done]);
}

#[tokio::test(start_paused = true)]
async fn a_fast_failure_of_the_hedge_is_no_answer() {
    let (world, runs) = two(Does::Answer(ms(300)), Does::Panic).await;
    let answer = hedging(&world, 50).call("do", vec![]).await.expect("the first answers in the end");
    assert_eq!((answer[0], stages(&runs)), (0, vec![Done, Dropped]));
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_fails_leaves_the_call_to_its_hedge() {
    let (world, runs) = two(SLOW, Does::Answer(ms(300))).await;
    let client = hedging(&world, 50);
    let call = tokio::spawn(async move { client.call("do", vec![]).await });
    tokio::time::sleep(ms(100)).await;
    let first = runs.lock()[0].0;
    world.kill(first);
    assert_eq!(call.await.expect("no panic").expect("the hedge answers")[0], 1);
    assert_eq!(runs.lock().len(), 2, "the hedge was the resend");
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_must_not_run_twice_is_not_hedged() {
    let (world, runs) = two(Does::Answer(ms(300)), QUICK).await;
    let options = CallOptions::timeout(ms(8_000)).hedge_after(ms(1));
    world.client().with(options).call("do", vec![]).await.expect("it answers");
    assert_eq!(stages(&runs), [Done]);
}

#[tokio::test(start_paused = true)]
async fn when_everybody_is_slow_hedging_stops() {
    let (world, runs) = world(2, |_, _| Does::Answer(ms(100))).await;
    let client = hedging(&world, 20);
    for _ in 0..400 {
        client.call("do", vec![]).await.expect("it answers");
    }
    let runs = runs.lock().len();
    assert!(runs > 400 && runs <= 400 + 10 + 400 / 20, "{runs} executions of 400 calls");
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_marked_method_is_hedged_after_its_own_p95() {
    // One in thirty takes fifty times as long.
    let (world, runs) = world(3, |nth, _| if nth % 30 == 29 { Does::Answer(ms(500)) } else { QUICK }).await;
    let client = world.client().with(CallOptions::new().idempotent(true).hedge(Hedge::AtP95));
    let mut took = Vec::new();
    for _ in 0..1_000 {
        let begun = Instant::now();
        client.call("do", vec![]).await.expect("it answers");
        took.push(begun.elapsed());
    }
    let slow = |calls: &[Duration]| calls.iter().filter(|took| **took > ms(100)).count();
    assert_eq!(slow(&took[..100]), 3, "nothing is known of the method yet");
    assert_eq!(slow(&took[100..]), 0, "every slow one is overtaken");
    assert!(runs.lock().len() <= 1_040, "{} executions", runs.lock().len());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_cancelled_calls_leaves_nothing_in_flight() {
    let (world, runs) = two(SLOW, SLOW).await;
    let client = hedging(&world, 5);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let (client, patience) = (client.clone(), ms(random.u64(0..20)));
        let call =
            tokio::spawn(async move { tokio::time::timeout(patience, client.call("do", vec![])).await });
        if random.bool() {
            tokio::time::sleep(ms(random.u64(0..3))).await;
            call.abort();
        }
    }
    tokio::time::sleep(ms(100)).await;
    assert_eq!(world.in_flight(), 0);
    let stages = stages(&runs);
    assert!(stages.len() > 200 && stages.iter().all(|stage| *stage == Dropped), "each handler was told");
}
