//! A cluster of workers and one node that calls them.

use std::time::Duration;

use rpcnet_cluster::{
    LoadBalancing, ResilientClient, WorkerRegistry,
    testkit::{TestCluster, TestNode},
};

use super::Work;

/// A worker and its work.
#[derive(Debug, Clone)]
pub struct Post {
    /// The node.
    pub node: TestNode,
    /// What it does.
    pub work: Work,
}

/// A cluster under load: who calls, and who works.
#[derive(Debug)]
pub struct World {
    /// The nodes and the network between them.
    pub cluster: TestCluster,
    /// The node whose registry the callers use. It serves nothing.
    pub caller: TestNode,
    /// The workers.
    pub posts: Vec<Post>,
    limits: Option<Limits>,
}

/// How many calls a worker's server runs at once, and how many wait there.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At once.
    pub running: usize,
    /// Waiting.
    pub queued: usize,
}

impl World {
    /// A cluster of one node that calls and of workers, each with work of its own; all see each other.
    ///
    /// The method `work` stops when its caller goes; `work_on` does not.
    pub async fn new(seed: u64, work: Vec<Work>) -> Self {
        Self::limited(seed, work, None).await
    }

    /// The same, with servers that take so many calls.
    pub async fn limited(seed: u64, work: Vec<Work>, limits: Option<Limits>) -> Self {
        let cluster = TestCluster::new(seed);
        cluster.network().set_latency(Duration::from_micros(250));
        let caller = cluster.node("caller").start().await;
        let mut posts = Vec::new();
        for (number, work) in work.into_iter().enumerate() {
            posts.push(start(&cluster, &format!("worker-{number}"), work, limits).await);
        }
        cluster.converged().await;
        Self { cluster, caller, posts, limits }
    }

    /// A client of all workers with a strategy, and nothing remembered.
    pub fn client(&self, balancing: LoadBalancing) -> ResilientClient {
        ResilientClient::new(WorkerRegistry::new(self.caller.membership(), balancing))
    }

    /// Starts a worker again that has ended, with the work it had.
    pub async fn restart(&mut self, number: usize) {
        let Post { node, work } = self.posts[number].clone();
        self.posts[number] = start(&self.cluster, node.label(), work, self.limits).await;
    }
}

async fn start(cluster: &TestCluster, label: &str, work: Work, limits: Option<Limits>) -> Post {
    let (stops, goes_on) = (work.clone(), work.clone());
    let node = cluster.node(label).tag("role", "worker").serve(|server| {
        let server = match limits {
            Some(Limits { running, queued }) => server.running_max(running).queued_max(queued),
            None => server,
        };
        server
            .register("work", move |bytes| stops.clone().work(bytes))
            .register("work_on", move |bytes| goes_on.clone().work_on(bytes))
    });
    Post { node: node.start().await, work }
}
