//! What goes wrong, one thing after the other and some at once.

use std::time::Duration;

use fastrand::Rng;
use rpcnet::CacheLimits;
use rpcnet_cluster::testkit::{TestCluster, TestNode};
use tokio::time::{Instant, sleep};

use crate::{
    books::Books,
    service::{self, Shelf, Worker},
    store::Kind,
};

/// The nodes and the network between them.
pub(crate) struct World {
    pub(crate) cluster: TestCluster,
    /// Each with a registry and connections of its own.
    pub(crate) callers: Vec<TestNode>,
    workers: Vec<Worker>,
    pub(crate) books: Books,
    shelf: Shelf,
    limits: CacheLimits,
}

const WORKERS: usize = 5;

impl World {
    pub(crate) async fn new(seed: u64, store: Kind) -> Self {
        let (shelf, limits) = (Shelf::new(store), service::limits(seed));
        let (cluster, books) = (TestCluster::new(seed), Books::default());
        let mut callers = Vec::new();
        for number in 0..2 {
            callers.push(cluster.node(&format!("caller-{number}")).start().await);
        }
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            workers.push(service::start(&cluster, number, &books, &shelf, limits).await);
        }
        cluster.converged().await;
        Self { cluster, callers, workers, books, shelf, limits }
    }

    /// Breaks and mends until the time is over; in the end everything is mended.
    pub(crate) async fn trouble(&mut self, until: Instant, mut random: Rng) {
        while Instant::now() < until {
            sleep(Duration::from_millis(random.u64(500..3_000))).await;
            let victim = random.usize(0..self.workers.len());
            let lasting = Duration::from_millis(random.u64(100..3_000));
            let worker = &self.workers[victim].node;
            match random.u32(0..6) {
                0 => self.restart(victim, lasting).await,
                1 => {
                    worker.pause();
                    sleep(lasting).await;
                    worker.resume();
                }
                2 => {
                    self.cluster.cut(&self.callers[0], worker);
                    sleep(lasting).await;
                    self.cluster.heal();
                }
                3 => {
                    self.cluster.cut_one_way(worker, &self.callers[1]);
                    sleep(lasting).await;
                    self.cluster.heal();
                }
                4 => {
                    worker.slow_down(lasting / 10);
                    sleep(lasting).await;
                    worker.slow_down(Duration::ZERO);
                }
                _ => {
                    self.cluster.lose(0.3);
                    sleep(lasting).await;
                    self.cluster.lose(0.0);
                }
            }
        }
    }

    async fn restart(&mut self, victim: usize, after: Duration) {
        self.workers[victim].node.kill();
        self.books.kill(self.workers[victim].process);
        sleep(after).await;
        self.workers[victim] =
            service::start(&self.cluster, victim, &self.books, &self.shelf, self.limits).await;
    }
}
