//! Claims about the registry: the picture it has, and who is told.

use std::{sync::Arc, time::Duration};

use rpcnet::transport::memory::MemoryNetwork;
use tokio::sync::mpsc;

use super::{
    SelectError, WorkerRegistry,
    source::next_batch,
    testing::{Script, Scripted, node},
};
use crate::{
    balance::{Balancer, LoadBalancing},
    membership::{ClusterEvent, Node},
};
use ClusterEvent::{Lagged, NodeFailed, NodeJoined};

fn registry(balancing: impl Into<Balancer>) -> (WorkerRegistry, Scripted) {
    let (script, scripted) = Script::new();
    let transport = MemoryNetwork::new(1).host([10, 0, 0, 250]);
    (WorkerRegistry::following(script, Arc::new(transport), balancing), scripted)
}

fn tagged(number: u8, tag: &str, value: &str) -> Node {
    let mut node = node(number, 1);
    Arc::make_mut(&mut node.tags).insert(tag.to_owned(), value.to_owned());
    node
}

/// Lets the registry take in what was told.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// What a task may do before it has to let others run: after so much, what is ready says that it is not.
const BUDGET: usize = 128;

/// Uses up some of the budget of this task.
async fn use_up(budget: usize) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for _ in 0..budget {
        sender.send(()).expect("it is open");
        receiver.recv().await.expect("it was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_made_by_a_busy_task_knows_everybody_from_the_beginning() {
    let (script, scripted) = Script::new();
    (1..=3).for_each(|number| scripted.tell(NodeJoined(node(number, 1))));
    let transport = Arc::new(MemoryNetwork::new(1).host([10, 0, 0, 250]));
    use_up(BUDGET).await;
    let registry = WorkerRegistry::following(script, transport, LoadBalancing::RoundRobin);
    assert_eq!(registry.worker_count(), 3);
    settled().await;
    assert_eq!(registry.worker_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_busy_task_loses_no_event_of_a_batch() {
    let (mut script, scripted) = Script::new();
    (1..=3).for_each(|number| scripted.tell(NodeJoined(node(number, 1))));
    tokio::task::yield_now().await;
    use_up(BUDGET - 1).await;
    let mut batch = Vec::new();
    tokio::select! {
        biased;
        more = next_batch(&mut script, &mut batch) => assert!(more),
        () = std::future::ready(()) => {}
    }
    assert_eq!(batch.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_hears_of_a_failed_node_does_not_find_it_among_the_workers() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    let mut events = registry.subscribe();
    for number in 1..=3 {
        cluster.tell(NodeJoined(node(number, 1)));
    }
    for _ in 0..3 {
        assert!(matches!(events.recv().await, Some(NodeJoined(_))));
    }
    cluster.tell(NodeFailed(node(2, 1)));
    let Some(NodeFailed(failed)) = events.recv().await else { panic!("the failure is told on") };
    assert_eq!(&*failed.label, "worker-2");
    assert_eq!(registry.worker_count(), 2);
    assert!(registry.workers().iter().all(|worker| worker.id != failed.id));
}

#[tokio::test(start_paused = true)]
async fn a_late_subscriber_hears_of_everybody_first() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    cluster.tell(NodeJoined(node(1, 1)));
    cluster.tell(NodeJoined(node(2, 1)));
    settled().await;
    let mut events = registry.subscribe();
    cluster.tell(NodeFailed(node(1, 1)));
    assert_eq!(events.recv().await, Some(NodeJoined(node(1, 1))));
    assert_eq!(events.recv().await, Some(NodeJoined(node(2, 1))));
    assert_eq!(events.recv().await, Some(NodeFailed(node(1, 1))));
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_is_too_slow_is_told_how_much_it_missed_and_then_the_whole_view() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    let mut events = registry.subscribe();
    for generation in 1..=2_000 {
        cluster.tell(NodeJoined(node(1, generation)));
    }
    settled().await;
    assert_eq!(events.recv().await, Some(Lagged { dropped: 2_000 }));
    assert_eq!(events.recv().await, Some(NodeJoined(node(1, 2_000))));
    cluster.tell(NodeFailed(node(1, 2_000)));
    assert_eq!(events.recv().await, Some(NodeFailed(node(1, 2_000))));
}

#[tokio::test(start_paused = true)]
async fn the_last_picture_stays_when_the_cluster_ends() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    let mut early = registry.subscribe();
    cluster.tell(NodeJoined(node(1, 1)));
    settled().await;
    drop(cluster);
    settled().await;
    assert_eq!(registry.worker_count(), 1);
    for events in [&mut early, &mut registry.subscribe()] {
        assert_eq!(events.recv().await, Some(NodeJoined(node(1, 1))));
        assert_eq!(events.recv().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn the_registry_ends_with_its_last_reader() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    let events = registry.subscribe();
    drop(registry);
    settled().await;
    assert!(!cluster.events.is_closed(), "a subscription reads");
    drop(events);
    settled().await;
    assert!(cluster.events.is_closed());
}

#[tokio::test(start_paused = true)]
async fn select_worker_takes_turns_among_those_that_match() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    let mut silent = tagged(4, "zone", "eu");
    silent.rpc_addr = None;
    for node in [tagged(1, "zone", "eu"), tagged(2, "zone", "us"), tagged(3, "zone", "eu"), silent] {
        cluster.tell(NodeJoined(node));
    }
    settled().await;
    let select = |selector| registry.select_worker(selector).expect("somebody matches").label.to_string();
    while select(Some("zone=eu")) != "worker-3" {}
    assert_eq!([(); 3].map(|()| select(Some("zone=eu"))), ["worker-1", "worker-3", "worker-1"]);
    assert_eq!([(); 3].map(|()| select(None)), ["worker-2", "worker-3", "worker-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_suspected_worker_is_selected_only_when_there_is_no_other() {
    let (registry, cluster) = registry(LoadBalancing::Random);
    cluster.tell(NodeJoined(node(1, 1)));
    cluster.tell(NodeJoined(node(2, 1)));
    cluster.tell(ClusterEvent::NodeSuspected { node: node(1, 1), phi: 9.0 });
    settled().await;
    assert!((0..50).all(|_| &*registry.select_worker(None).expect("one is well").label == "worker-2"));
    cluster.tell(NodeFailed(node(2, 1)));
    settled().await;
    let suspected = registry.select_worker(None).expect("better than nobody");
    assert!(suspected.is_degraded() && !suspected.is_healthy());
}

#[tokio::test(start_paused = true)]
async fn workers_in_the_zone_of_the_own_node_come_first_wherever_it_is_tagged_to_be() {
    let (registry, cluster) = registry(Balancer::new(LoadBalancing::RoundRobin).at(node(9, 1).id));
    let mut own = tagged(9, "zone", "us");
    own.rpc_addr = None;
    let workers = [tagged(1, "zone", "eu"), tagged(2, "zone", "us"), tagged(3, "zone", "eu"), node(4, 1)];
    workers.into_iter().chain([own]).for_each(|node| cluster.tell(NodeJoined(node)));
    settled().await;
    let selected = || {
        let select = |_| registry.select_worker(None).expect("somebody is there").label.to_string();
        let mut labels: Vec<_> = (0..20).map(select).collect();
        labels.sort();
        labels.dedup();
        labels
    };
    assert_eq!(selected(), ["worker-2"]);
    let mut moved = tagged(9, "zone", "eu");
    moved.rpc_addr = None;
    cluster.tell(ClusterEvent::TagsChanged(moved));
    settled().await;
    assert_eq!(selected(), ["worker-1", "worker-3"]);
    cluster.tell(NodeFailed(node(9, 1)));
    settled().await;
    assert_eq!(selected().len(), 4, "a node without a zone prefers none");
}

#[tokio::test(start_paused = true)]
async fn a_balancer_may_name_a_zone_or_none() {
    let here = Balancer::new(LoadBalancing::RoundRobin).zone("eu").at(node(1, 1).id);
    let anywhere = Balancer::new(LoadBalancing::RoundRobin).at(node(1, 1).id).any_zone();
    for (balancer, expected) in [(here, vec!["worker-2"]), (anywhere, vec!["worker-1", "worker-2"])] {
        let (registry, cluster) = registry(balancer);
        cluster.tell(NodeJoined(tagged(1, "zone", "us")));
        cluster.tell(NodeJoined(tagged(2, "zone", "eu")));
        settled().await;
        let select = |_| registry.select_worker(None).expect("somebody is there").label.to_string();
        let mut labels: Vec<_> = (0..10).map(select).collect();
        labels.sort();
        labels.dedup();
        assert_eq!(labels, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn selecting_from_nobody_says_what_was_looked_for() {
    let (registry, cluster) = registry(LoadBalancing::LeastConnections);
    cluster.tell(NodeJoined(node(1, 1)));
    settled().await;
    let error = registry.select_worker(Some("role=director")).unwrap_err();
    assert_eq!(error.to_string(), "no worker matches `role=director`; the registry knows 1 workers");
    let error = registry.select_worker(Some("role=")).unwrap_err();
    assert!(matches!(error, SelectError::Selector(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_report_reaches_the_cluster() {
    let (registry, cluster) = registry(LoadBalancing::RoundRobin);
    cluster.tell(NodeJoined(node(1, 1)));
    settled().await;
    let worker = registry.select_worker(None).expect("one is there");
    registry.report_failure(&worker);
    registry.report_failure(worker.id);
    settled().await;
    assert_eq!(*cluster.reported.lock(), [worker.id, worker.id]);
}
