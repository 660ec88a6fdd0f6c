//! A server with more calls than it takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rpcnet::{
    CallError, CallOptions, Channel, Executed, KeyedGauge, Reason, Server, ServerLoad, prelude::*,
    transport::memory::MemoryNetwork,
};

use crate::world::settle;

#[rpc_trait]
trait Desk {
    /// Takes a second, unless its caller goes.
    #[rpc(idempotent)]
    async fn serve(&self) -> rpcnet::Result<()>;

    /// Takes a second, whatever its caller does.
    #[rpc(idempotent, no_cancel)]
    async fn finish(&self) -> rpcnet::Result<()>;

    /// Takes a second, the first time.
    async fn once(&self, request_id: Uuid) -> rpcnet::Result<()>;
}

#[derive(Default, Clone)]
struct Clerk {
    begun: Arc<AtomicUsize>,
}

impl Clerk {
    async fn work(&self) -> rpcnet::Result<()> {
        self.begun.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }
}

impl Desk for Clerk {
    async fn serve(&self) -> rpcnet::Result<()> {
        self.work().await
    }

    async fn finish(&self) -> rpcnet::Result<()> {
        self.work().await
    }

    async fn once(&self, _request_id: Uuid) -> rpcnet::Result<()> {
        self.work().await
    }
}

/// A server of one call at a time, its client, and what both know.
struct Office {
    desk: DeskClient<Channel>,
    clerk: Clerk,
    load: ServerLoad,
    keyed: KeyedGauge,
}

impl Office {
    async fn open(running: usize, queued: usize) -> Self {
        let network = MemoryNetwork::new(1);
        let clerk = Clerk::default();
        let server = Server::builder().service(DeskServer::new(clerk.clone()));
        let server = server.running_max(running).queued_max(queued).transport(network.host([10, 0, 0, 1]));
        let server = server.bind("10.0.0.1:7000").await.unwrap();
        let (load, keyed) = (server.load(), server.keyed());
        tokio::spawn(server.serve());
        let channel = Channel::builder("10.0.0.1:7000").transport(network.host([10, 0, 0, 2]));
        Self { desk: DeskClient::new(channel.connect().await.unwrap()), clerk, load, keyed }
    }

    fn call(&self) -> tokio::task::JoinHandle<Result<(), CallError<rpcnet::AppError>>> {
        let desk = self.desk.clone();
        tokio::spawn(async move { desk.serve().await })
    }

    fn begun(&self) -> usize {
        self.clerk.begun.load(SeqCst)
    }

    /// How many requests are remembered.
    fn remembered(&self) -> usize {
        self.keyed.stats().expect("it serves").entries
    }

    /// Running, waiting, refused.
    fn load(&self) -> (usize, usize, u64) {
        (self.load.running(), self.load.queued(), self.load.shed())
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_beyond_the_queue_is_refused_before_it_runs() {
    let office = Office::open(1, 1).await;
    let (first, second) = (office.call(), office.call());
    settle().await;
    assert_eq!((office.load(), office.begun()), ((1, 1, 0), 1));
    let status = office.desk.serve().await.unwrap_err();
    assert_eq!((status.reason(), status.executed()), (Some(Reason::Overloaded), Executed::No));
    assert!(status.status().unwrap().retry_hint().is_some(), "{status}");
    assert!(status.to_string().contains("queued_max"), "says what to set: {status}");
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    settle().await;
    assert_eq!((office.load(), office.begun()), ((0, 0, 1), 2));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_run_in_the_order_they_came() {
    let office = Office::open(1, 8).await;
    let begin = tokio::time::Instant::now();
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(office.call());
        settle().await;
    }
    for (place, call) in (1..).zip(calls) {
        call.await.unwrap().unwrap();
        assert_eq!(begin.elapsed().as_secs(), place);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_caller_gave_up_in_the_queue_never_runs() {
    let office = Office::open(1, 8).await;
    let first = office.call();
    settle().await;
    let hurried = office.desk.with(CallOptions::timeout(Duration::from_millis(400)));
    assert_eq!(hurried.serve().await.unwrap_err().reason(), Some(Reason::Deadline));
    assert_eq!(hurried.finish().await.unwrap_err().reason(), Some(Reason::Deadline));
    first.await.unwrap().unwrap();
    settle().await;
    assert_eq!((office.load(), office.begun()), ((0, 0, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_its_turn_until_its_handler_has_stopped() {
    let office = Office::open(1, 0).await;
    let hurried = office.desk.with(CallOptions::timeout(Duration::from_millis(500)));
    assert!(hurried.finish().await.is_err());
    settle().await;
    assert_eq!(office.load(), (1, 0, 0), "nobody waits for it, and it runs");
    assert_eq!(office.desk.serve().await.unwrap_err().reason(), Some(Reason::Overloaded));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(office.load(), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_request_that_was_served_before_needs_no_turn() {
    let office = Office::open(1, 0).await;
    let id = Uuid::from_u128(7);
    office.desk.once(id).await.unwrap();
    let running = office.call();
    settle().await;
    assert_eq!(office.load(), (1, 0, 0));
    office.desk.once(id).await.unwrap();
    assert_eq!(office.desk.once(Uuid::from_u128(8)).await.unwrap_err().reason(), Some(Reason::Overloaded));
    assert_eq!(office.remembered(), 1);
    running.await.unwrap().unwrap();
    office.desk.once(Uuid::from_u128(8)).await.unwrap();
    assert_eq!(office.begun(), 3, "a refused request was not remembered, and ran when it came again");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_caller_gave_up_in_the_queue_is_not_remembered_and_runs_when_it_comes_again() {
    let office = Office::open(1, 8).await;
    let id = Uuid::from_u128(7);
    let first = office.call();
    settle().await;
    let hurried = office.desk.with(CallOptions::timeout(Duration::from_millis(400)));
    assert_eq!(hurried.once(id).await.unwrap_err().reason(), Some(Reason::Deadline));
    assert_eq!((office.load(), office.remembered()), ((1, 1, 0), 1), "it waits for its turn");
    first.await.unwrap().unwrap();
    settle().await;
    assert_eq!((office.load(), office.begun(), office.remembered()), ((0, 0, 0), 1, 0));
    office.desk.once(id).await.unwrap();
    assert_eq!((office.begun(), office.remembered()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn every_turn_is_free_after_a_storm_of_cancellations() {
    let office = Office::open(4, 16).await;
    let mut random = fastrand::Rng::with_seed(7);
    let mut calls = Vec::new();
    for _ in 0..500 {
        let patience = Duration::from_millis(random.u64(0..3000));
        let desk = office.desk.with(CallOptions::timeout(patience));
        let finishes = random.bool();
        calls.push(tokio::spawn(
            async move { if finishes { desk.finish().await } else { desk.serve().await } },
        ));
        tokio::time::sleep(Duration::from_millis(random.u64(0..100))).await;
        let (running, queued, _) = office.load();
        assert!(running <= 4 && queued <= 16, "{running} run, {queued} wait");
    }
    for call in calls {
        let _ = call.await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (running, queued, shed) = office.load();
    assert_eq!((running, queued), (0, 0));
    assert!(shed > 0, "there was a storm");
}
