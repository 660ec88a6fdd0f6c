//! Row 16 over a cluster whose workers share the records of their requests: whoever is left answers for the one that died.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{
    CallOptions, Reason,
    prelude::*,
    store::{Claim, Claimed, Fingerprint, Outcome, Pending, RecordId, Store},
};
use rpcnet_cluster::{
    ResilientClient,
    testkit::{TestCluster, TestNode},
};
use tokio::time::Instant;

const ID: Uuid = Uuid::from_u128(7);

/// A place that all workers reach: a store as one would write it oneself.
#[derive(Debug, Default)]
struct Shared(Mutex<BTreeMap<RecordId, Record>>);

#[derive(Debug)]
struct Record {
    fingerprint: Fingerprint,
    /// Until when who runs it is taken to be alive.
    lease: Instant,
    ended: Option<Outcome>,
}

const LEASE: Duration = Duration::from_secs(1);

impl Store for Shared {
    fn secret(&self) -> [u8; 16] {
        [7; 16]
    }

    fn claim<'a>(&'a self, claim: &'a Claim) -> Pending<'a, Claimed> {
        let (mut records, now) = (self.0.lock(), Instant::now());
        let claimed = match records.get(&claim.record) {
            Some(record) if record.fingerprint != claim.fingerprint => Claimed::OtherArguments,
            Some(Record { ended: Some(Outcome::Answered(kept)), .. }) => Claimed::Answered(kept.clone()),
            Some(Record { ended: None, lease, .. }) if *lease > now => {
                Claimed::InFlight { retry_after: *lease - now }
            }
            Some(_) => Claimed::Unknown,
            None => {
                let record = Record { fingerprint: claim.fingerprint, lease: now + LEASE, ended: None };
                records.insert(claim.record, record);
                Claimed::Run { fence: 1, again: false }
            }
        };
        Box::pin(std::future::ready(Ok(claimed)))
    }

    fn end<'a>(&'a self, record: RecordId, _fence: u64, outcome: &'a Outcome) -> Pending<'a, ()> {
        if let Some(record) = self.0.lock().get_mut(&record) {
            record.ended = Some(outcome.clone());
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Counts, and takes a while.
#[rpc_trait]
trait Till {
    async fn charge(&self, request_id: Uuid, millis: u64) -> rpcnet::Result<usize>;
}

/// Which of the workers ran what was charged, in order.
type Book = Arc<Mutex<Vec<usize>>>;

struct Worker {
    number: usize,
    book: Book,
}

impl Till for Worker {
    async fn charge(&self, _request_id: Uuid, millis: u64) -> rpcnet::Result<usize> {
        self.book.lock().push(self.number);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(self.number)
    }
}

struct World {
    workers: Vec<TestNode>,
    till: TillClient<ResilientClient>,
    book: Book,
    _cluster: (TestCluster, TestNode),
}

impl World {
    async fn new() -> Self {
        let (cluster, book) = (TestCluster::new(7), Book::default());
        let caller = cluster.node("caller").start().await;
        let store = Arc::new(Shared::default());
        let mut workers = Vec::new();
        for number in 0..3 {
            let (store, book) = (Arc::clone(&store), Arc::clone(&book));
            let serve = move |server: rpcnet::ServerBuilder| {
                server.service(TillServer::new(Worker { number, book })).store(store)
            };
            let node = cluster.node(&format!("till-{number}")).tag("role", "worker").serve(serve);
            workers.push(node.start().await);
        }
        cluster.converged().await;
        let till = TillClient::new(ResilientClient::new(caller.registry()));
        Self { workers, till, book, _cluster: (cluster, caller) }
    }
}

#[tokio::test(start_paused = true)]
async fn row_16_where_records_are_shared_another_worker_answers_for_the_one_that_died() {
    let world = World::new().await;
    let ran = world.till.charge(ID, 5).await.unwrap();
    world.workers[ran].kill();
    assert_eq!(world.till.charge(ID, 5).await.unwrap(), ran, "the answer of the one that ran it");
    assert_eq!(*world.book.lock(), [ran]);
}

#[tokio::test(start_paused = true)]
async fn row_16_what_the_dead_worker_had_begun_is_unknown_and_never_run_again() {
    let world = World::new().await;
    let till = world.till.clone();
    let call = tokio::spawn(async move { till.charge(ID, 60_000).await });
    while world.book.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ran = world.book.lock()[0];
    world.workers[ran].kill();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(Reason::OutcomeUnknown), "{error}");
    let patient = world.till.with(CallOptions::timeout(Duration::from_secs(30)));
    let error = patient.charge(ID, 60_000).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::OutcomeUnknown), "{error}");
    assert_eq!(*world.book.lock(), [ran]);
}
