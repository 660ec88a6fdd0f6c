//! The failures a cluster is built for, each as its user meets it: what he writes, and all that must then happen. A test's
//! name begins with its row.
//!
//! | row | situation | in |
//! |---|---|---|
//! | 1 | a worker's process dies | `cluster` |
//! | 2, 8, 9, 10 | the network splits, quorum is lost, there is one leader, the split heals | `partitions` |
//! | 3 | a worker answers fifty times as slowly | `slow` |
//! | 4 | one failure overloads the rest | `shed` |
//! | 5 | a passing error | `resend` |
//! | 6 | a worker fails a call | `failover`, `cluster` |
//! | 7 | a worker keeps failing | `breaker` |
//! | 11 | any of these, unnoticed by the caller | `unnoticed`, `cluster` |
//! | 12 | a call takes too long | `hedge` |
//! | 13 | an operator wants to know | `metrics` |
//! | 14 | an operator looks | `dashboard` |
//! | 15 | a call hangs | `time`, `calls` |
//! | 16 | a call is repeated | `idempotency`, `cluster` |
//! | 17, 18 | the team tests all this; a director assigns work | `roles` |

mod breaker;
mod failover;
mod hedge;
mod resend;
mod roles;
mod shed;
mod slow;
mod time;
mod unnoticed;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, Reason, ServerBuilder, prelude::*};
use rpcnet_cluster::{
    Balancer, CallReport, FailedAttempts, ResilientClient,
    testkit::{TestCluster, TestNode, TestNodeBuilder},
};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What the workers serve, once for each promise that a method can make.
#[rpc_trait]
pub(super) trait Compute {
    /// May run twice.
    #[rpc(idempotent)]
    async fn square(&self, n: i64) -> rpcnet::Result<i64>;

    /// May run twice, and is made to when it takes long.
    #[rpc(read, hedge)]
    async fn look(&self) -> rpcnet::Result<()>;

    /// Runs once for each id.
    async fn charge(&self, request_id: Uuid) -> rpcnet::Result<()>;

    /// Runs at most once.
    async fn launch(&self) -> rpcnet::Result<()>;
}

/// What a worker does with a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mood {
    /// It answers after this time.
    Takes(Duration),
    /// It panics after this time.
    Panics(Duration),
    /// The method answers with its own error.
    Declines,
}

/// A worker's work, and who asked for it. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Desk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    mood: Mood,
    begun: usize,
    done: usize,
    running: usize,
    running_most: usize,
    /// The other ends of the connections that calls came over.
    peers: BTreeSet<SocketAddr>,
}

impl Desk {
    pub(super) fn new(mood: Mood) -> Self {
        let peers = BTreeSet::new();
        Self(Arc::new(Mutex::new(State { mood, begun: 0, done: 0, running: 0, running_most: 0, peers })))
    }

    pub(super) fn becomes(&self, mood: Mood) {
        self.0.lock().mood = mood;
    }

    /// Executions begun.
    pub(super) fn begun(&self) -> usize {
        self.0.lock().begun
    }

    /// Executions that came to their end.
    pub(super) fn done(&self) -> usize {
        self.0.lock().done
    }

    pub(super) fn running(&self) -> usize {
        self.0.lock().running
    }

    /// The most executions at once.
    pub(super) fn running_most(&self) -> usize {
        self.0.lock().running_most
    }

    /// Connections that calls came over.
    pub(super) fn connections(&self) -> usize {
        self.0.lock().peers.len()
    }

    async fn work(&self) -> rpcnet::Result<()> {
        let mood = self.begin();
        let _running = Running(self);
        match mood {
            Mood::Takes(time) => tokio::time::sleep(time).await,
            Mood::Panics(after) => {
                tokio::time::sleep(after).await;
                // Past the hook, which would print each of them.
                std::panic::resume_unwind(Box::new("this worker is broken"));
            }
            Mood::Declines => return Err(AppError::msg("not today")),
        }
        self.0.lock().done += 1;
        Ok(())
    }

    fn begin(&self) -> Mood {
        let mut state = self.0.lock();
        state.begun += 1;
        state.running += 1;
        state.running_most = state.running_most.max(state.running);
        state.peers.extend(Context::current().and_then(|call| call.peer()));
        state.mood
    }
}

/// Counts an execution as running until it is dropped.
struct Running<'a>(&'a Desk);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.0.lock().running -= 1;
    }
}

impl Compute for Desk {
    async fn square(&self, n: i64) -> rpcnet::Result<i64> {
        self.work().await?;
        Ok(n * n)
    }

    async fn look(&self) -> rpcnet::Result<()> {
        self.work().await
    }

    async fn charge(&self, _request_id: Uuid) -> rpcnet::Result<()> {
        self.work().await
    }

    async fn launch(&self) -> rpcnet::Result<()> {
        self.work().await
    }
}

/// A director, and workers with their work: `a`, `b`, `c` and so on.
pub(super) struct Plant {
    pub(super) cluster: TestCluster,
    pub(super) director: TestNode,
    pub(super) workers: Vec<TestNode>,
    pub(super) desks: Vec<Desk>,
}

impl Plant {
    /// So many workers that take ten milliseconds each, whom everybody knows for long enough for nobody to be new.
    pub(super) async fn of(workers: usize, balancing: impl Into<Balancer>) -> Self {
        Self::with(workers, balancing, |node| node, |server| server).await
    }

    /// The same, with settings for each worker's node and server.
    pub(super) async fn with(
        workers: usize,
        balancing: impl Into<Balancer>,
        node: impl Fn(TestNodeBuilder) -> TestNodeBuilder,
        server: impl Fn(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        // Choices and jitter are drawn from this thread's generator.
        fastrand::seed(7);
        let cluster = TestCluster::new(7);
        let director = cluster.node("director").tag("role", "director").balancing(balancing).start().await;
        let mut plant = Self { cluster, director, workers: Vec::new(), desks: Vec::new() };
        for label in ["a", "b", "c", "d", "e"].into_iter().take(workers) {
            let desk = Desk::new(Mood::Takes(ms(10)));
            let builder = worker(&plant.cluster, label, &desk).serve(&server);
            plant.workers.push(node(builder).start().await);
            plant.desks.push(desk);
        }
        plant.cluster.converged().await;
        tokio::time::sleep(ms(10_500)).await;
        plant
    }

    pub(super) fn client(&self) -> ResilientClient {
        ResilientClient::new(self.director.registry()).select("role=worker")
    }

    /// The executions begun by all workers.
    pub(super) fn begun(&self) -> usize {
        self.desks.iter().map(Desk::begun).sum()
    }

    /// Calls that the director has in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.director.registry().workers().iter().map(|worker| worker.active_connections()).sum()
    }
}

/// A worker: its method `compute` gives back what it was given.
pub(super) fn worker(cluster: &TestCluster, label: &str, desk: &Desk) -> TestNodeBuilder {
    let (typed, bytes) = (ComputeServer::new(desk.clone()), desk.clone());
    cluster.node(label).tag("role", "worker").serve(|server| {
        server.service(typed).register("compute", move |given: Bytes| {
            let desk = bytes.clone();
            async move { desk.work().await.map(|()| given) }
        })
    })
}

/// Whom a call was sent to, in order.
pub(super) fn tried(report: &CallReport) -> Vec<String> {
    report.attempts.iter().map(|attempt| attempt.label.to_string()).collect()
}

/// Whom a failed call was sent to, and why each failed, by its own account.
pub(super) fn blamed(error: &CallError) -> Vec<(String, Reason)> {
    let attempts = error.status().and_then(FailedAttempts::of).into_iter().flat_map(FailedAttempts::iter);
    attempts.map(|attempt| (attempt.label.to_string(), attempt.status.reason())).collect()
}
