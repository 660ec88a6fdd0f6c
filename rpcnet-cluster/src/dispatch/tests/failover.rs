//! Workers die, vanish, restart and are missing while calls are made.

use std::{net::SocketAddr, sync::atomic::Ordering, time::Duration};

use rpcnet::{AppError, CallError, CallOptions, Channel, Executed, Reason, Server};
use tokio::time::Instant;

use super::world::{World, ip, ms, settled};
use crate::{
    FailedAttempts, LoadBalancing, SelectorError,
    membership::ClusterEvent::{NodeFailed, NodeJoined, NodeLeft},
    registry::testing::node,
};

fn idempotent() -> CallOptions {
    CallOptions::new().idempotent(true)
}

/// The labels of those who were tried.
fn tried(error: &CallError) -> Vec<String> {
    let attempts = error.status().and_then(FailedAttempts::of);
    attempts.into_iter().flat_map(FailedAttempts::iter).map(|attempt| attempt.label.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn row_6_a_call_in_flight_on_a_killed_worker_is_answered_by_another_at_once() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let client = world.client().with(idempotent());
    let victim = world.after(world.next_of(&client).await);
    let call = tokio::spawn(async move { client.call("work", vec![]).await });
    settled().await;
    assert_eq!(world.worker(victim).active_connections(), 1);
    world.kill(victim);
    let killed = Instant::now();
    assert_ne!(*call.await.expect("no panic").expect("rerouted"), [victim]);
    assert!(
        killed.elapsed() < ms(110),
        "the second worker's 100 ms and a round trip: {:?}",
        killed.elapsed()
    );
    assert_eq!(world.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_is_not_sent_again_and_says_so() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let client = world.client();
    let victim = world.after(world.next_of(&client).await);
    let call = tokio::spawn(async move { client.call("work", vec![]).await });
    settled().await;
    world.kill(victim);
    let killed = Instant::now();
    let error = call.await.expect("no panic").expect_err("its outcome is unknown");
    assert!(killed.elapsed() < ms(2), "told at once: {:?}", killed.elapsed());
    assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
    let label = format!("worker-{victim}");
    let text = error.to_string();
    assert!(text.contains("not sent again, because it may have run") && text.contains(&label), "{text}");
    assert_eq!((tried(&error), error.reason()), (vec![label], Some(Reason::ConnectionLost)));
    assert_eq!(world.runs.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn no_call_fails_when_a_worker_is_killed_and_none_is_sent_to_it_twice() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let client = world.client();
    for _ in 0..3 {
        client.call("who", vec![]).await.expect("all are there");
    }
    world.kill(2);
    settled().await;
    let dials = world.dials.load(Ordering::Relaxed);
    let begun = Instant::now();
    for _ in 0..9 {
        client.call("who", vec![]).await.expect("two are left, and nothing was sent to the third");
    }
    assert!(begun.elapsed() < ms(50), "within the shortest ejection: {:?}", begun.elapsed());
    assert_eq!(world.dials.load(Ordering::Relaxed) - dials, 1, "the first refusal takes the worker out");
    assert!(world.worker(2).is_degraded() && world.worker(1).is_healthy());
    settled().await;
    assert_eq!(*world.cluster.reported.lock(), [world.worker(2).id], "membership is told once");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_listens_again_takes_work_again() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let client = world.client();
    world.kill(2);
    for _ in 0..4 {
        assert_eq!(*client.call("who", vec![]).await.expect("one is left"), [1]);
    }
    world.start(2).await;
    tokio::time::sleep(ms(160)).await;
    assert_eq!([world.next_of(&client).await, world.next_of(&client).await], [2, 1]);
    assert!(world.worker(2).is_healthy());
}

#[tokio::test(start_paused = true)]
async fn a_restarted_process_takes_work_at_once_whatever_became_of_the_old_one() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    let client = world.client();
    world.kill(1);
    for _ in 0..8 {
        let _ = client.with(CallOptions::timeout(ms(300))).call("who", vec![]).await.expect_err("it is dead");
    }
    assert!(world.worker(1).is_degraded());
    world.start(1).await;
    world.cluster.tell(NodeJoined(node(1, 2)));
    settled().await;
    let begun = Instant::now();
    assert_eq!(*client.call("who", vec![]).await.expect("it is back"), [1]);
    assert!(begun.elapsed() < ms(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_packets_vanish_costs_an_idempotent_call_half_of_its_time_at_most() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let client = world.client().with(CallOptions::timeout(ms(1_000)).idempotent(true));
    let other = world.next_of(&client).await;
    let vanished = world.next_of(&client).await;
    assert_eq!(world.next_of(&client).await, other);
    world.cut(vanished);
    let begun = Instant::now();
    assert_eq!(world.next_of(&client).await, other);
    assert!((ms(499)..ms(510)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_be_dialled_costs_any_call_the_connect_timeout_and_only_one_call() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let client = world.client();
    let other = world.next_of(&client).await;
    world.cut(world.after(other));
    let begun = Instant::now();
    assert_eq!(world.next_of(&client).await, other, "nothing was sent to the one that vanished");
    assert!((ms(999)..ms(1_010)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    for _ in 0..20 {
        client.call("who", vec![]).await.expect("the other is there");
    }
    tokio::time::sleep(ms(150)).await;
    // The ejection is over: one call tries, the others go elsewhere meanwhile.
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let begun = Instant::now();
                client.call("who", vec![]).await.expect("answered");
                begun.elapsed()
            })
        })
        .collect();
    let mut slow = 0;
    for call in calls {
        slow += u32::from(call.await.expect("no panic") > ms(100));
    }
    assert_eq!(slow, 1);
}

#[tokio::test(start_paused = true)]
async fn row_11_a_call_waits_for_the_first_worker_to_come() {
    let world = World::with([], LoadBalancing::RoundRobin).await;
    let client = world.client().select("role=worker");
    let call = tokio::spawn(async move { client.call("who", vec![]).await });
    tokio::time::sleep(ms(1_500)).await;
    world.start(1).await;
    world.cluster.tell(NodeJoined(node(1, 1)));
    assert_eq!(*call.await.expect("no panic").expect("there is one now"), [1]);
}

#[tokio::test(start_paused = true)]
async fn without_workers_a_call_ends_after_its_wait_and_says_whom_it_looked_for() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let client = world.client().select("role=painter").wait_for_ready(ms(700));
    let begun = Instant::now();
    let error = client.call("who", vec![]).await.expect_err("nobody paints");
    assert_eq!(
        (begun.elapsed(), error.executed(), error.reason()),
        (ms(700), Executed::No, Some(Reason::NoWorkers))
    );
    assert_eq!(
        error.to_string(),
        "unavailable: who: no worker matches `role=painter`, after waiting for 700ms (`wait_for_ready`); \
         nodes known to the registry: 2, workers: 2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_wait_as_long_as_it_might_says_how_long_it_did() {
    let world = World::with([], LoadBalancing::RoundRobin).await;
    let client = world.client().with(CallOptions::timeout(ms(300)));
    let error = client.call("who", vec![]).await.expect_err("nobody is there");
    let text = "there is no worker, after waiting for 300ms (the call's deadline; `wait_for_ready` is 2s);";
    assert!(error.to_string().contains(text), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_may_have_all_the_time_there_is() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    let endless = CallOptions::timeout(Duration::MAX);
    for options in [endless.clone(), endless.idempotent(true)] {
        let client = world.client().with(options).wait_for_ready(Duration::MAX);
        assert_eq!(*client.call("who", vec![]).await.expect("answered"), [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn workers_that_are_all_dead_are_listed_with_what_became_of_them() {
    let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
    let client = world.client().wait_for_ready(ms(0));
    (1..=2).for_each(|number| world.kill(number));
    let error = client.call("who", vec![]).await.expect_err("nobody listens");
    assert_eq!((error.executed(), error.reason()), (Executed::No, Some(Reason::ConnectFailed)));
    let mut labels = tried(&error);
    let reasons: Vec<_> = labels
        .iter()
        .map(|label| {
            let number = label.trim_start_matches("worker-");
            format!("{label}: cannot connect to 10.0.0.{number}:80: nobody listens at 10.0.0.{number}:80")
        })
        .collect();
    let text = format!("unavailable: no worker could be reached in 2 attempts: {}", reasons.join("; "));
    assert_eq!(error.to_string(), text);
    labels.sort();
    assert_eq!(labels, ["worker-1", "worker-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_selector_that_cannot_be_read_fails_every_call_at_once_and_says_where() {
    let world = World::with(1..=1, LoadBalancing::RoundRobin).await;
    let begun = Instant::now();
    let error = world.client().select("role in worker").call("who", vec![]).await.expect_err("no selector");
    assert_eq!(begun.elapsed(), ms(0));
    assert!(error.to_string().contains("expected `(` after `in` at character 9, found `w`"), "{error}");
    assert_eq!(error.reason(), Some(Reason::InvalidSelector));
    let cause = error.status().and_then(rpcnet::Status::cause);
    let cause = cause.and_then(|cause| cause.downcast_ref::<SelectorError>());
    assert!(matches!(cause, Some(SelectorError::Syntax { position: 9, .. })));
    assert!(world.client().try_select("role in worker").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_mistake_in_the_call_itself_is_told_by_the_first_worker() {
    let world = World::with(1..=3, LoadBalancing::RoundRobin).await;
    let error = world.client().with(idempotent()).call("whom", vec![]).await.expect_err("no such method");
    assert_eq!((tried(&error).len(), error.reason()), (1, Some(Reason::UnknownMethod)));
}

#[tokio::test(start_paused = true)]
async fn row_15_a_call_that_nobody_answers_ends_by_its_deadline() {
    let world = World::with(1..=3, LoadBalancing::LeastConnections).await;
    for (options, limit) in [
        (CallOptions::new(), ms(10_000)),
        (idempotent(), ms(10_000)),
        (CallOptions::timeout(ms(80)), ms(80)),
        (CallOptions::timeout(ms(80)).idempotent(true), ms(80)),
    ] {
        let begun = Instant::now();
        let error = world
            .client()
            .with(options.clone())
            .call("tremble", vec![])
            .await
            .expect_err("it takes for ever");
        assert!(
            (limit - ms(1)..limit + ms(3)).contains(&begun.elapsed()),
            "{options:?}: {:?}",
            begun.elapsed()
        );
        assert!(matches!(&error, CallError::OutcomeUnknown(_)), "{error}");
        assert_eq!(error.reason(), Some(Reason::Deadline));
        assert_eq!(world.in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn row_18_a_director_calls_its_workers_within_the_time_of_its_own_caller() {
    let world = World::with(1..=2, LoadBalancing::LeastConnections).await;
    let client = world.client();
    let director =
        Server::builder().transport(world.network.host(ip(100))).register("dispatch", move |bytes| {
            let client = client.clone();
            async move { client.call("tremble", bytes).await.map_err(AppError::msg) }
        });
    let addr = SocketAddr::new(ip(100), 80);
    tokio::spawn(director.bind(addr).await.expect("the port is free").serve());
    let channel = Channel::builder(addr).transport(world.network.host(ip(101))).lazy();
    let error =
        channel.with(CallOptions::timeout(ms(200))).call("dispatch", vec![]).await.expect_err("no time");
    assert_eq!(error.reason(), Some(Reason::Deadline));
    settled().await;
    assert_eq!(world.in_flight(), 0, "no worker works for a caller that has gone");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_shuts_down_finishes_its_calls_and_gets_no_more() {
    let world = World::with([], LoadBalancing::LeastConnections).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    world.start(1).await;
    let server = world.server(2).bind(SocketAddr::new(ip(2), 80)).await.expect("the port is free");
    tokio::spawn(server.serve_with_shutdown(async { drop(stopped.await) }));
    (1..=2).for_each(|number| world.cluster.tell(NodeJoined(node(number, 1))));
    settled().await;
    let client = world.client();
    let call = || {
        let client = client.clone();
        tokio::spawn(async move { client.call("work", vec![]).await })
    };
    let before: Vec<_> = (0..20).map(|_| call()).collect();
    settled().await;
    stop.send(()).expect("the server waits for it");
    let after: Vec<_> = (0..20).map(|_| call()).collect();
    let mut answers = [0; 3];
    for call in before.into_iter().chain(after) {
        let answer = call.await.expect("no panic").expect("neither idempotent nor lost");
        answers[usize::from(answer[0])] += 1;
    }
    assert_eq!(answers, [0, 30, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_leaves_keeps_its_connection_until_its_calls_are_done() {
    for gone in [NodeLeft, NodeFailed] {
        let world = World::with(1..=2, LoadBalancing::RoundRobin).await;
        let client = world.client();
        let stays = world.next_of(&client).await;
        let leaves = world.after(stays);
        let call = tokio::spawn(async move { client.call("work", vec![]).await });
        settled().await;
        let line = std::sync::Arc::downgrade(world.worker(leaves).line());
        world.cluster.tell(gone(node(leaves, 1)));
        settled().await;
        assert_eq!(world.registry.worker_count(), 1);
        for _ in 0..3 {
            assert_eq!(world.next_of(&world.client()).await, stays);
        }
        assert!(line.upgrade().is_some_and(|line| line.in_flight() == 1));
        assert_eq!(*call.await.expect("no panic").expect("a membership change ends no call"), [leaves]);
        settled().await;
        assert!(line.upgrade().is_none(), "the connection goes with its last call");
    }
}
