//! Clusters that fall apart and grow together, beyond the plain split of a settled cluster.

use std::{net::IpAddr, time::Duration};

use rpcnet_cluster::{
    ClusterEvent, QuorumRule,
    testkit::{TestCluster, TestNode},
};
use tokio::time::{sleep, timeout};

/// Longer than it may take to find a split out, or to heal one.
const LONG: Duration = Duration::from_secs(60);

async fn start(cluster: &TestCluster, labels: &[&str]) -> Vec<TestNode> {
    let mut nodes = Vec::new();
    for label in labels {
        nodes.push(cluster.node(label).start().await);
    }
    nodes
}

/// Waits until each of the nodes holds the quorum of so many, and sees all of them.
async fn whole(nodes: &[&TestNode], total: usize) {
    for node in nodes {
        let mut quorum = node.membership().quorum();
        let held = quorum.wait_for(|quorum| quorum.held && quorum.visible == total && quorum.total == total);
        timeout(LONG, held).await.expect("the quorum is held in time").unwrap();
    }
}

fn holds(node: &TestNode) -> bool {
    node.membership().quorum().borrow().held
}

fn split<'a>(
    cluster: &TestCluster,
    nodes: &'a [TestNode],
    at: usize,
) -> (Vec<&'a TestNode>, Vec<&'a TestNode>) {
    let (one, other) = nodes.split_at(at);
    let sides = (one.iter().collect::<Vec<_>>(), other.iter().collect::<Vec<_>>());
    cluster.partition(&sides.0, &sides.1);
    sides
}

#[tokio::test(start_paused = true)]
async fn two_clusters_that_began_apart_are_one_when_they_meet() {
    let cluster = TestCluster::new(21);
    let host = |last: u8| IpAddr::from([10, 0, 0, last]);
    // The first is everybody's seed; whom it does not reach finds the second.
    cluster.network().partition(&[host(1)], &[host(2), host(3), host(4)]);
    let nodes = start(&cluster, &["a", "b", "c", "d"]).await;
    // Nobody has counted the others yet: each is whole to itself.
    whole(&[&nodes[0]], 1).await;
    whole(&nodes[1..].iter().collect::<Vec<_>>(), 3).await;

    cluster.heal();
    cluster.converged().await;
    whole(&nodes.iter().collect::<Vec<_>>(), 4).await;
    split(&cluster, &nodes, 2);
    sleep(LONG).await;
    let holding = nodes.iter().filter(|node| holds(node)).count();
    assert_eq!(holding, 2, "from then on they are one: only one half goes on");
}

#[tokio::test(start_paused = true)]
async fn a_process_started_again_in_the_minority_is_of_the_minority() {
    let cluster = TestCluster::new(22);
    let nodes = start(&cluster, &["a", "b", "c", "d", "e"]).await;
    cluster.converged().await;
    whole(&nodes.iter().collect::<Vec<_>>(), 5).await;
    let (small, large) = split(&cluster, &nodes, 2);
    nodes[1].membership().quorum().wait_for(|quorum| !quorum.held).await.unwrap();
    small[0].kill();
    let again = cluster.node("a").start().await;
    for _ in 0..LONG.as_secs() {
        sleep(Duration::from_secs(1)).await;
        assert!(!holds(&again) && !holds(small[1]));
        assert!(large.iter().all(|node| holds(node)));
    }

    cluster.heal();
    cluster.converged().await;
    whole(&[&again, small[1], large[0], large[1], large[2]], 5).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_started_again_alone_does_not_count_itself_whole() {
    let cluster = TestCluster::new(23);
    let nodes = start(&cluster, &["a", "b", "c"]).await;
    cluster.converged().await;
    whole(&nodes.iter().collect::<Vec<_>>(), 3).await;
    split(&cluster, &nodes, 1);
    nodes[0].kill();
    let again = cluster.node("a").start().await;
    sleep(LONG).await;
    assert!(!holds(&again), "it has seeds, and has met none of them");
    assert!(holds(&nodes[1]) && holds(&nodes[2]));
}

#[tokio::test(start_paused = true)]
async fn a_quorum_by_tag_is_where_most_of_the_tagged_are() {
    let cluster = TestCluster::new(24);
    let rule = || QuorumRule::Tagged { key: "role".into(), value: "data".into() };
    let mut nodes = Vec::new();
    for (label, role) in [("a", "data"), ("b", "data"), ("c", "data"), ("d", "front"), ("e", "front")] {
        nodes.push(cluster.node(label).tag("role", role).quorum(rule()).start().await);
    }
    cluster.converged().await;
    whole(&nodes.iter().collect::<Vec<_>>(), 3).await;

    let (two_of_three, one_of_three) = split(&cluster, &nodes, 2);
    sleep(LONG).await;
    assert!(two_of_three.iter().all(|node| holds(node)), "two nodes of five, and two of three that count");
    assert!(one_of_three.iter().all(|node| !holds(node)));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_down_is_told_as_a_pair_and_never_as_a_split() {
    let cluster = TestCluster::new(25);
    let nodes = start(&cluster, &["a", "b", "c", "d", "e"]).await;
    cluster.converged().await;
    whole(&nodes.iter().collect::<Vec<_>>(), 5).await;
    let mut events: Vec<_> = nodes.iter().map(|node| node.membership().subscribe()).collect();
    cluster.cut(&nodes[0], &nodes[1]);
    sleep(LONG).await;

    let id = |node: usize| nodes[node].membership().local_node_id();
    for (from, to, reaches) in [(0, 1, false), (1, 0, false), (0, 2, true), (2, 0, true), (2, 1, true)] {
        assert_eq!(nodes[from].membership().can_reach(id(to)).await, reaches, "{from} to {to}");
    }
    let members = nodes[0].membership().members().await;
    let down: Vec<_> =
        members.iter().filter(|member| member.link_down).map(|member| member.node.id).collect();
    assert_eq!(down, [id(1)]);
    assert!(nodes.iter().all(holds));
    for events in &mut events {
        while let Ok(Some(event)) = timeout(Duration::ZERO, events.recv()).await {
            let harmless = matches!(event, ClusterEvent::NodeJoined(_) | ClusterEvent::TagsChanged(_));
            assert!(harmless, "{event:?}");
        }
    }
}
