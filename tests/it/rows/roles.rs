//! Rows 17 and 18: the team tests all this, and a director assigns work.

use std::sync::{Arc, OnceLock};

use rpcnet::prelude::*;
use rpcnet_cluster::{
    LoadBalancing, ResilientClient,
    testkit::{TestCluster, TestNode},
};
use tokio::time::Instant;

use super::{Compute, ComputeClient, ComputeServer, Desk, Mood, Plant, ms, worker};

async fn setup_cluster() -> (TestNode, Vec<TestNode>) {
    let cluster = TestCluster::new(7);
    let director = cluster.node("director").tag("role", "director").start().await;
    let mut workers = Vec::new();
    for label in ["a", "b", "c"] {
        workers.push(worker(&cluster, label, &Desk::new(Mood::Takes(ms(10)))).start().await);
    }
    cluster.converged().await;
    (director, workers)
}

/// As it reads.
#[tokio::test(start_paused = true)]
async fn row_17_a_team_tests_its_cluster_in_three_lines() {
    let (director, workers) = setup_cluster().await;
    workers[0].shutdown().await;
    assert!(ResilientClient::new(director.registry()).call("compute", vec![1, 2, 3]).await.is_ok());
}

/// Of the clock that a test has, at least.
#[tokio::test(start_paused = true)]
async fn row_17_it_takes_less_than_a_second() {
    let begun = Instant::now();
    let (director, workers) = setup_cluster().await;
    workers[0].kill();
    let client = ResilientClient::new(director.registry());
    for n in 0..10_u8 {
        assert_eq!(client.call("compute", vec![n]).await.unwrap(), [n].as_slice());
    }
    assert!(begun.elapsed() < ms(1_000), "{:?}", begun.elapsed());
}

/// Serves what the workers serve, by their work.
struct Director(Arc<OnceLock<ComputeClient<ResilientClient>>>);

impl Director {
    fn workers(&self) -> &ComputeClient<ResilientClient> {
        self.0.get().expect("the director has started")
    }
}

impl Compute for Director {
    async fn square(&self, n: i64) -> rpcnet::Result<i64> {
        Ok(self.workers().square(n).await?)
    }

    async fn look(&self) -> rpcnet::Result<()> {
        Ok(self.workers().look().await?)
    }

    async fn charge(&self, request_id: Uuid) -> rpcnet::Result<()> {
        Ok(self.workers().charge(request_id).await?)
    }

    async fn launch(&self) -> rpcnet::Result<()> {
        Ok(self.workers().launch().await?)
    }
}

/// A node that serves clients, and dispatches to workers.
async fn director(plant: &Plant, label: &str) -> TestNode {
    // Its registry is there once it has started; its service is made before that.
    let late = Arc::new(OnceLock::new());
    let service = ComputeServer::new(Director(Arc::clone(&late)));
    let node = plant.cluster.node(label).tag("role", "director").serve(|server| server.service(service));
    let node = node.balancing(LoadBalancing::LeastConnections).start().await;
    let workers = ResilientClient::new(node.registry()).select("role=worker");
    late.set(ComputeClient::new(workers)).ok().unwrap();
    node
}

#[tokio::test(start_paused = true)]
async fn row_18_clients_need_to_know_a_director_only_and_directors_are_alike() {
    let plant = Plant::of(3, LoadBalancing::RoundRobin).await;
    let directors = [director(&plant, "d1").await, director(&plant, "d2").await];
    plant.cluster.converged().await;
    // A host that is no member, and from which no way leads to any worker.
    let host = plant.cluster.network().host([10, 9, 9, 9]);
    plant.workers.iter().for_each(|worker| plant.cluster.network().cut(host.ip(), worker.ip()));
    let clients = directors.each_ref().map(|director| {
        let channel = Channel::builder(format!("{}:7000", director.ip())).transport(host.clone()).lazy();
        ComputeClient::new(channel)
    });
    for n in 0..30 {
        for client in &clients {
            assert_eq!(client.square(n).await.unwrap(), n * n);
        }
    }
    assert!(
        plant.desks.iter().all(|desk| desk.begun() >= 15),
        "the work is done by the workers, all of them"
    );

    // A worker that dies, and one that comes, are the directors' affair.
    plant.workers[0].kill();
    for client in &clients {
        assert_eq!(client.square(7).await.unwrap(), 49);
        client.launch().await.unwrap();
    }
    let fresh = Desk::new(Mood::Takes(ms(10)));
    let node = worker(&plant.cluster, "fresh", &fresh).start().await;
    plant.cluster.network().cut(host.ip(), node.ip());
    plant.cluster.converged().await;
    tokio::time::sleep(ms(11_000)).await;
    for client in &clients {
        let before = fresh.begun();
        for n in 0..30 {
            assert_eq!(client.square(n).await.unwrap(), n * n);
        }
        assert!(fresh.begun() > before, "both directors use it");
    }
    // Alike also in this: one is as good as two.
    directors[0].kill();
    assert_eq!(clients[1].square(9).await.unwrap(), 81);
    assert!(clients[0].square(9).await.is_err(), "this one knew no other");
}
