//! Clients that are no members, where every connection is mutual TLS.

use std::time::Duration;

use rpcnet::transport::memory::MemoryNetwork;
use rpcnet_cluster::{ClusterMembership, ResilientClient, WorkerRegistry};

use super::*;

const NODE: &str = "spiffe://prod/node";
const WEB: &str = "spiffe://prod/web";

/// The settings of an end that shows who it is, and calls nodes alone.
fn end(realm: &Realm, host: u8, identity: &str) -> TlsBuilder {
    realm.end(host, &[identity]).servers(NODE.parse().unwrap())
}

/// A member of the cluster, which is a worker too.
struct Member {
    serving: JoinHandle<()>,
    addr: SocketAddr,
    _node: ClusterMembership,
}

/// Starts a node whose view the web may follow, and whose door it may knock at.
async fn member(realm: &Realm, host: u8) -> Member {
    let tls = end(realm, host, NODE).build().unwrap();
    let server =
        Server::builder().transport(tls.clone()).service(DoorServer::new(Porter)).allow("Door/*", [WEB]);
    let mut server = server.bind(format!("10.0.0.{host}:7001")).await.unwrap();
    let addr = server.local_addr();
    let node = ClusterMembership::builder()
        .memory_host(realm.network.host([10, 0, 0, host]))
        .transport(tls)
        .bind(format!("10.0.0.{host}:7946"))
        .seeds(["10.0.0.1:7946"])
        .label(host.to_string())
        .advertise(addr);
    let node = node.join().await.unwrap();
    server.service(WorkerRegistry::service(&node)).unwrap();
    server.allow("RegistryFeed/follow", [WEB]).unwrap();
    Member { serving: tokio::spawn(server.serve()), addr, _node: node }
}

impl Member {
    fn kill(&self, network: &MemoryNetwork) {
        network.kill(self.addr.ip());
        self.serving.abort();
    }
}

fn labels(registry: &WorkerRegistry) -> Vec<String> {
    let mut labels: Vec<_> = registry.workers().iter().map(|worker| worker.label.to_string()).collect();
    labels.sort();
    labels
}

async fn has(registry: &WorkerRegistry, wanted: &[&str]) {
    let agreed = tokio::time::timeout(Duration::from_secs(60), async {
        while labels(registry) != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(agreed.await.is_ok(), "{:?} and not {wanted:?}", labels(registry));
}

#[tokio::test(start_paused = true)]
async fn a_follower_with_a_certificate_follows_calls_and_moves_on_when_its_node_dies() {
    let realm = Realm::new();
    let members = [member(&realm, 1).await, member(&realm, 2).await, member(&realm, 3).await];
    let web = end(&realm, 9, WEB).build().unwrap();
    let registry = WorkerRegistry::follow([members[0].addr, members[1].addr]).transport(web).start();
    registry.fresh().await;
    has(&registry, &["1", "2", "3"]).await;
    let door = DoorClient::new(ResilientClient::new(registry.clone()));
    assert_eq!(door.knock().await.unwrap(), WEB, "workers know who calls");

    // Whichever of the two is followed, one after the other dies and the picture goes on.
    members[0].kill(&realm.network);
    has(&registry, &["2", "3"]).await;
    let back = member(&realm, 1).await;
    has(&registry, &["1", "2", "3"]).await;
    members[1].kill(&realm.network);
    has(&registry, &["1", "3"]).await;
    tokio::time::timeout(Duration::from_secs(30), registry.fresh()).await.expect("it follows the other");
    for _ in 0..4 {
        assert_eq!(door.knock().await.unwrap(), WEB);
    }
    drop(back);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_certificate_or_another_name_is_shown_no_view() {
    let realm = Realm::new();
    let node = member(&realm, 1).await;
    let stranger = realm.end_with(9, None).roots(realm.authority.roots()).servers(NODE.parse().unwrap());
    let guest = end(&realm, 8, "spiffe://prod/guest");
    for (who, tls) in [("a stranger", stranger), ("a guest", guest)] {
        let registry = WorkerRegistry::follow([node.addr]).transport(tls.build().unwrap()).start();
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(registry.stale_for().is_some() && registry.worker_count() == 0, "{who} sees the cluster");
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_believes_no_node_that_cannot_show_it_is_one() {
    let realm = Realm::new();
    let impostor = realm.end(1, &["spiffe://prod/printer"]).servers(NODE.parse().unwrap()).build().unwrap();
    let network = realm.network.clone();
    let node = ClusterMembership::builder().memory_host(network.host([10, 0, 0, 1])).bind("10.0.0.1:7946");
    let mut server = Server::builder().transport(impostor).bind("10.0.0.1:7001").await.unwrap();
    let node = node.advertise(server.local_addr()).join().await.unwrap();
    server.service(WorkerRegistry::service(&node)).unwrap();
    let addr = server.local_addr();
    tokio::spawn(server.serve());
    let web = end(&realm, 9, WEB).build().unwrap();
    let registry = WorkerRegistry::follow([addr]).transport(web).start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(registry.stale_for().is_some() && registry.worker_count() == 0);
}
