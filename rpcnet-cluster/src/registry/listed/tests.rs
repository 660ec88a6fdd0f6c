//! Lists that change while calls are made.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{Server, transport::memory::MemoryNetwork};

use super::{names::WORKERS_MAX, *};
use crate::{ClusterEvent, LoadBalancing, ResilientClient, agent::lookups::Lookup};

const NAME: &str = "workers.example:80";

/// What names stand for, as the test changes it; `None` while the resolver is away. It never answers for `hangs.example`.
#[derive(Debug, Clone, Default)]
struct Zone(Arc<Mutex<Option<Vec<SocketAddr>>>>);

impl Zone {
    fn is(&self, hosts: &[u8]) {
        *self.0.lock() = Some(hosts.iter().map(|host| addr(*host)).collect());
    }
}

impl Resolver for Zone {
    fn look_up(&self, name: String) -> Lookup {
        if name.starts_with("hangs.") {
            return Box::pin(std::future::pending());
        }
        let found = self.0.lock().clone().ok_or(io::ErrorKind::TimedOut);
        Box::pin(std::future::ready(found.map_err(io::Error::from)))
    }
}

fn addr(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 80))
}

/// Starts a worker that says who it is, after so many milliseconds as it is sent bytes.
async fn worker(network: &MemoryNetwork, host: u8) {
    let server = Server::builder().transport(network.host([10, 0, 0, host])).register(
        "who",
        move |bytes: Bytes| async move {
            tokio::time::sleep(Duration::from_millis(bytes.len() as u64)).await;
            Ok(Bytes::from(vec![host]))
        },
    );
    let server = server.bind("0.0.0.0:80").await.expect("its own address");
    tokio::spawn(server.serve());
}

/// Who answers the next calls.
async fn who(client: &ResilientClient, calls: usize) -> Vec<u8> {
    let mut hosts = Vec::new();
    for _ in 0..calls {
        hosts.push(client.call("who", Bytes::new()).await.expect("somebody answers")[0]);
    }
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

fn listed(network: &MemoryNetwork, names: &[&str], zone: &Zone) -> WorkerRegistry {
    let listed = WorkerRegistry::listed(names.iter().copied()).tag("role", "worker");
    let listed = listed.transport(network.host([10, 0, 0, 250])).resolver(zone.clone());
    listed.balancing(LoadBalancing::RoundRobin).start()
}

#[tokio::test(start_paused = true)]
async fn addresses_are_workers_from_the_beginning() {
    let network = MemoryNetwork::new(7);
    for host in [1, 2] {
        worker(&network, host).await;
    }
    let registry = listed(&network, &["10.0.0.1:80", "10.0.0.2:80"], &Zone::default());
    assert_eq!(registry.worker_count(), 2);
    let client = ResilientClient::new(registry).select("role=worker");
    assert_eq!(who(&client, 4).await, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_resolved_again_and_workers_come_and_go_with_it() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    for host in [1, 2, 3] {
        worker(&network, host).await;
    }
    zone.is(&[1, 2]);
    let registry = listed(&network, &[NAME], &zone);
    let client = ResilientClient::new(registry.clone());
    assert_eq!(who(&client, 4).await, [1, 2], "a call waits until the name is resolved");
    let long = tokio::spawn({
        let client = client.clone();
        async move { client.call("who", vec![0; 9_000]).await }
    });
    tokio::time::sleep(Duration::from_secs(58)).await;
    let mut events = registry.subscribe();
    zone.is(&[2, 3]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    // Many, as a newcomer is given few at first.
    assert_eq!(who(&client, 200).await, [2, 3]);
    assert!(long.await.expect("no panic").is_ok(), "who is gone finishes its calls");
    let mut left = Vec::new();
    while left.is_empty() {
        if let Some(ClusterEvent::NodeLeft(node)) = events.recv().await {
            left.push(node.rpc_addr);
        }
    }
    assert_eq!(left, [Some(addr(1))], "gone, and not failed");
}

#[tokio::test(start_paused = true)]
async fn while_the_resolver_is_away_the_last_answer_stands() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    worker(&network, 1).await;
    zone.is(&[1]);
    let registry = listed(&network, &[NAME], &zone);
    let client = ResilientClient::new(registry.clone());
    assert_eq!(who(&client, 1).await, [1]);
    for answer in [None, Some(Vec::new()), Some(vec![SocketAddr::from(([0, 0, 0, 0], 80))])] {
        *zone.0.lock() = answer;
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(who(&client, 1).await, [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_be_reached_has_its_name_looked_up_within_seconds() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    worker(&network, 2).await;
    zone.is(&[1]);
    let registry = listed(&network, &[NAME], &zone);
    let client = ResilientClient::new(registry).wait_for_ready(Duration::from_secs(1));
    assert!(client.call("who", Bytes::new()).await.is_err(), "nobody is there");
    zone.is(&[2]);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(who(&client, 1).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn everybody_who_lists_an_address_gives_its_worker_the_same_id() {
    let network = MemoryNetwork::new(7);
    let ids = || -> Vec<_> {
        let registry = listed(&network, &["10.0.0.1:80", "10.0.0.2:80"], &Zone::default());
        registry.workers().iter().map(|worker| worker.id).collect()
    };
    assert_eq!(ids(), ids());
    assert_ne!(ids()[0], ids()[1]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_answers_for_holds_up_no_other_and_no_address() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    for host in [1, 2, 3] {
        worker(&network, host).await;
    }
    zone.is(&[1]);
    let registry = listed(&network, &["hangs.example:80", NAME, "10.0.0.2:80"], &zone);
    let client = ResilientClient::new(registry);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(who(&client, 4).await, [1, 2]);
    zone.is(&[3]);
    tokio::time::sleep(Duration::from_secs(62)).await;
    assert_eq!(who(&client, 200).await, [2, 3], "it is resolved again all the same");
}

#[tokio::test(start_paused = true)]
async fn of_ten_thousand_addresses_some_are_workers_and_stay_so() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    let crowd = |from: u32| {
        let addr = |number: u32| SocketAddr::from(((0x0a01_0000 + number).to_be_bytes(), 80));
        Some((from..10_000).map(addr).collect())
    };
    *zone.0.lock() = crowd(5_000);
    let registry = listed(&network, &[NAME], &zone);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut events = registry.subscribe();
    let ids =
        |registry: &WorkerRegistry| -> Vec<_> { registry.workers().iter().map(|worker| worker.id).collect() };
    let before = ids(&registry);
    assert_eq!(before.len(), WORKERS_MAX);
    for _ in 0..WORKERS_MAX {
        assert!(matches!(events.recv().await, Some(ClusterEvent::NodeJoined(_))), "the view comes first");
    }
    *zone.0.lock() = crowd(0);
    tokio::time::sleep(Duration::from_secs(62)).await;
    assert!(ids(&registry) == before, "who is known stays, though there are lower addresses now");
    let more = tokio::time::timeout(Duration::from_secs(1), events.recv()).await;
    assert!(more.is_err(), "nobody came or went: {more:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_comes_and_goes_takes_its_workers_along_and_leaves_nothing_behind() {
    let (network, zone) = (MemoryNetwork::new(7), Zone::default());
    for host in [1, 2] {
        worker(&network, host).await;
    }
    zone.is(&[1, 2]);
    let registry = listed(&network, &[NAME], &zone);
    let client = ResilientClient::new(registry.clone());
    assert_eq!(who(&client, 4).await, [1, 2]);
    for round in 0..20 {
        zone.is(if round % 2 == 0 { &[1] } else { &[1, 2] });
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(registry.worker_count(), 1 + round % 2, "round {round}");
        assert!(who(&client, 4).await.starts_with(&[1]));
    }
    assert_eq!(who(&client, 200).await, [1, 2]);
    assert!(registry.workers().iter().all(|worker| worker.active_connections() == 0 && worker.is_healthy()));
}
