//! Claims about registries of processes that are no members.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use rpcnet::{CallOptions, Codec, Server, ServerHandle, Streaming};

use super::{feed::Feed, fold::Fold, protocol::Update, service::tell};
use crate::{
    ClusterEvent, ResilientClient, WorkerRegistry,
    registry::testing::{Script, Scripted, node},
    testkit::{TestCluster, TestNode},
};

/// Where a node of these tests offers its view.
const PORT: u16 = 7100;

async fn worker(cluster: &TestCluster, label: &str) -> TestNode {
    let worker = cluster.node(label).tag("role", "worker");
    worker.serve(|server| server.register("echo", |bytes| async move { Ok(bytes) })).start().await
}

/// Makes a node offer its view.
async fn offer(cluster: &TestCluster, node: &TestNode) -> ServerHandle {
    let host = cluster.network().host(node.ip());
    let mut server = Server::builder().transport(host).bind(at(node)).await.expect("the port is free");
    server.service(WorkerRegistry::service(node.membership())).expect("it is the only service");
    let handle = server.handle();
    tokio::spawn(server.serve());
    handle
}

fn at(node: &TestNode) -> SocketAddr {
    SocketAddr::new(node.ip(), PORT)
}

/// Two members, of which the first offers its view, and two workers.
async fn world() -> (TestCluster, TestNode, TestNode) {
    let cluster = TestCluster::new(7);
    let first = cluster.node("first").start().await;
    let second = cluster.node("second").start().await;
    worker(&cluster, "a").await;
    worker(&cluster, "b").await;
    cluster.converged().await;
    offer(&cluster, &first).await;
    (cluster, first, second)
}

async fn follow(cluster: &TestCluster, nodes: &[&TestNode]) -> WorkerRegistry {
    let host = cluster.network().host([10, 9, 0, 1]);
    let registry = WorkerRegistry::follow(nodes.iter().map(|node| at(node))).transport(host).start();
    registry.fresh().await;
    registry
}

fn labels(registry: &WorkerRegistry) -> Vec<String> {
    let mut labels: Vec<_> = registry.workers().iter().map(|worker| worker.label.to_string()).collect();
    labels.sort();
    labels
}

/// Waits until the registry has exactly these workers.
async fn has(registry: &WorkerRegistry, wanted: &[&str]) {
    let agree = async {
        while labels(registry) != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let agreed = tokio::time::timeout(Duration::from_secs(60), agree).await;
    assert!(agreed.is_ok(), "{:?} and not {wanted:?}", labels(registry));
}

async fn called(registry: &WorkerRegistry) -> bool {
    let client = ResilientClient::new(registry.clone()).select("role=worker");
    client.call("echo", vec![1]).await.is_ok()
}

/// What was told until now, as text: kind and label.
async fn told(registry: &WorkerRegistry, events: &mut crate::RegistryEvents) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(1), events.recv()).await {
        told.push(match event {
            ClusterEvent::NodeJoined(node) => format!("+{}", node.label),
            ClusterEvent::NodeFailed(node) => format!("-{}", node.label),
            ClusterEvent::NodeLeft(node) => format!("left {}", node.label),
            ClusterEvent::NodeSuspected { node, .. } => format!("?{}", node.label),
            other => format!("{other:?}"),
        });
    }
    assert!(registry.worker_count() < 100, "it is a small cluster");
    told
}

#[tokio::test(start_paused = true)]
async fn a_follower_knows_the_workers_calls_them_and_hears_of_every_change() {
    let (cluster, first, _) = world().await;
    let registry = follow(&cluster, &[&first]).await;
    assert_eq!((labels(&registry), registry.stale_for()), (vec!["a".to_owned(), "b".to_owned()], None));
    assert!(called(&registry).await);
    let c = worker(&cluster, "c").await;
    has(&registry, &["a", "b", "c"]).await;
    c.membership().set_tag("gpu", "yes").await.expect("it fits");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        registry.select_worker(Some("gpu")).map(|worker| worker.id).ok(),
        Some(c.membership().local_node_id())
    );
    let mut events = registry.subscribe();
    assert_eq!(told(&registry, &mut events).await.len(), 5, "the view comes first");
    c.kill();
    has(&registry, &["a", "b"]).await;
    let told = told(&registry, &mut events).await;
    assert_eq!(told.last().map(String::as_str), Some("-c"), "{told:?}");
    assert!(called(&registry).await);
}

#[tokio::test(start_paused = true)]
async fn when_the_followed_node_crashes_another_is_followed_and_nobody_is_told_of_twice() {
    let (cluster, first, second) = world().await;
    let registry = follow(&cluster, &[&first, &second]).await;
    // It offers its view only now, so the first is the one that is followed.
    offer(&cluster, &second).await;
    let mut events = registry.subscribe();
    assert_eq!(told(&registry, &mut events).await.len(), 4);
    first.kill();
    worker(&cluster, "c").await;
    has(&registry, &["a", "b", "c"]).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(registry.stale_for(), None);
    let told = told(&registry, &mut events).await;
    let once: BTreeSet<_> = told.iter().cloned().collect();
    assert_eq!(
        (told.len(), once.contains("+c"), once.contains("-first")),
        (once.len(), true, true),
        "{told:?}"
    );
    assert!(!["+a", "+b", "-a", "-b"].iter().any(|event| once.contains(*event)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_followed_node_that_falls_silent_is_left_for_another_within_twenty_seconds() {
    let (cluster, first, second) = world().await;
    let registry = follow(&cluster, &[&first, &second]).await;
    offer(&cluster, &second).await;
    first.pause();
    tokio::time::sleep(Duration::from_secs(20)).await;
    worker(&cluster, "c").await;
    has(&registry, &["a", "b", "c"]).await;
    assert_eq!(registry.stale_for(), None);
}

#[tokio::test(start_paused = true)]
async fn with_all_nodes_away_the_last_picture_stays_and_says_so_until_one_is_back() {
    let (cluster, first, _) = world().await;
    let registry = follow(&cluster, &[&first]).await;
    first.kill();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(registry.stale_for().is_some_and(|age| age > Duration::from_secs(59)));
    assert_eq!(labels(&registry), ["a", "b"]);
    assert!(called(&registry).await);
    worker(&cluster, "c").await;
    let first = cluster.node("first").start().await;
    offer(&cluster, &first).await;
    tokio::time::timeout(Duration::from_secs(15), registry.fresh()).await.expect("pauses are 5 s at most");
    has(&registry, &["a", "b", "c"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_hands_its_followers_on() {
    let (cluster, first, second) = world().await;
    let registry = follow(&cluster, &[&first, &second]).await;
    offer(&cluster, &second).await;
    first.membership().leave().await;
    worker(&cluster, "c").await;
    has(&registry, &["a", "b", "c"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_not_joined_shows_nobody_its_lonely_view() {
    let cluster = TestCluster::new(7);
    let [first, second] = [cluster.node("first").start().await, cluster.node("second").start().await];
    cluster.converged().await;
    second.kill();
    first.kill();
    let alone = cluster.node("second").start().await;
    offer(&cluster, &alone).await;
    let host = cluster.network().host([10, 9, 0, 1]);
    let registry = WorkerRegistry::follow([at(&alone)]).transport(host).start();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(registry.stale_for().is_some());
    cluster.node("first").start().await;
    tokio::time::timeout(Duration::from_secs(30), registry.fresh()).await.expect("it has joined");
}

#[tokio::test(start_paused = true)]
async fn following_ends_with_the_last_handle() {
    let (cluster, first, _) = world().await;
    let registry = follow(&cluster, &[&first]).await;
    let mut stale = registry.stale.clone();
    let client = ResilientClient::new(registry);
    assert!(client.with(CallOptions::new()).call("echo", vec![1]).await.is_ok());
    drop(client);
    let ended =
        tokio::time::timeout(Duration::from_secs(1), async { while stale.changed().await.is_ok() {} });
    assert!(ended.await.is_ok(), "its tasks have ended");
}

/// A feed by a script, with one node in it.
async fn feed() -> (Arc<Feed>, Scripted) {
    let (script, scripted) = Script::new();
    let feed = Feed::start(script);
    scripted.tell(ClusterEvent::NodeJoined(node(1, 1)));
    tokio::time::sleep(Duration::from_millis(1)).await;
    (feed, scripted)
}

#[tokio::test(start_paused = true)]
async fn a_change_and_a_picture_are_encoded_once_for_all_followers() {
    let (feed, scripted) = feed().await;
    let mut places: Vec<_> = (0..1_000).map(|_| feed.place().expect("it runs")).collect();
    assert!(places.iter().all(|(picture, _)| Arc::ptr_eq(picture, &places[0].0)));
    scripted.tell(ClusterEvent::NodeSuspected { node: node(1, 1), phi: 9.0 });
    let mut at = BTreeSet::new();
    for (_, changes) in &mut places {
        at.insert(changes.recv().await.expect("it is told").as_ptr());
    }
    assert_eq!(at.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_reads_nothing_for_long_gets_the_picture_of_now() {
    let (feed, scripted) = feed().await;
    let (sender, mut stream) = Streaming::<Bytes>::channel(1);
    tokio::spawn(tell(Arc::clone(&feed), sender));
    for round in 0..2_000 {
        let node = node(1, 1);
        let suspected = ClusterEvent::NodeSuspected { node: node.clone(), phi: 9.0 };
        scripted.tell(if round % 2 == 0 { suspected } else { ClusterEvent::NodeRecovered(node) });
        // Apart, or they would be one change, or none.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    scripted.tell(ClusterEvent::NodeJoined(node(2, 1)));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (mut fold, mut pictures, mut updates, mut last) = (Fold::default(), 0, 0, Vec::new());
    while last.last() != Some(&ClusterEvent::NodeJoined(node(2, 1))) {
        let update = stream.next().await.expect("the feed runs");
        let update: Update =
            Codec::Bincode.decode(&update.expect("it is complete")).expect("it is an update");
        pictures += u32::from(matches!(update, Update::Picture { .. }));
        updates += 1;
        last.extend(fold.handle_update(update).expect("there is no gap"));
    }
    assert!(pictures == 2 && updates < 10, "{pictures} pictures, {updates} updates");
}

#[tokio::test(start_paused = true)]
async fn a_view_told_again_after_a_lag_is_only_its_difference() {
    let (feed, scripted) = feed().await;
    let (_, mut changes) = feed.place().expect("it runs");
    let again = [ClusterEvent::Lagged { dropped: 9 }, ClusterEvent::NodeJoined(node(1, 1))];
    again.into_iter().for_each(|event| scripted.tell(event));
    scripted.tell(ClusterEvent::NodeJoined(node(2, 1)));
    let mut fold = Fold::default();
    for piece in feed.place().expect("it runs").0.iter() {
        fold.handle_update(Codec::Bincode.decode(piece).expect("a piece")).expect("it is whole");
    }
    let change = changes.recv().await.expect("it is told");
    let events = fold.handle_update(Codec::Bincode.decode(&change).expect("a change"));
    assert_eq!(events, Ok(vec![ClusterEvent::NodeJoined(node(2, 1))]));
}
