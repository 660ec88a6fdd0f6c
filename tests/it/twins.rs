//! One id on both sides of a split: a process that was started again elsewhere while the first still runs.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use rpcnet_cluster::{ClusterEvent, ClusterMembership, Events, NodeId, testkit::TestCluster};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Longer than it may take to find a split out, or to heal one.
const LONG: Duration = Duration::from_secs(60);

/// Nodes of a network in memory, each with an id that the test chooses.
struct World(TestCluster);

fn host(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn id(node: u8) -> NodeId {
    NodeId::new(Uuid::from_u128(node.into()))
}

impl World {
    /// A process of that node, on that host.
    async fn start(&self, node: u8, on: u8) -> ClusterMembership {
        let seeds = (1..=5).map(|seed| SocketAddr::new(host(seed), 7946));
        let builder =
            ClusterMembership::builder().node_id(id(node)).memory_host(self.0.network().host(host(on)));
        builder.bind(SocketAddr::new(host(on), 7946)).seeds(seeds).join().await.unwrap()
    }

    /// Five nodes that are settled, on hosts of the same numbers.
    async fn settled() -> (Self, Vec<ClusterMembership>) {
        let world = Self(TestCluster::new(26));
        let mut nodes = Vec::new();
        for node in 1..=5 {
            nodes.push(world.start(node, node).await);
        }
        whole(nodes.iter()).await;
        (world, nodes)
    }

    fn split(&self, one: &[u8], other: &[u8]) {
        let hosts = |side: &[u8]| side.iter().map(|&last| host(last)).collect::<Vec<_>>();
        self.0.network().partition(&hosts(one), &hosts(other));
    }
}

async fn whole(nodes: impl Iterator<Item = &ClusterMembership>) {
    for node in nodes {
        let mut quorum = node.quorum();
        let held = quorum.wait_for(|quorum| quorum.held && quorum.visible == 5 && quorum.total == 5);
        timeout(LONG, held).await.expect("the quorum is held in time").unwrap();
    }
}

async fn failed_of(events: &mut Events) -> Vec<NodeId> {
    let mut failed = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::ZERO, events.recv()).await {
        if let ClusterEvent::NodeFailed(node) = event {
            failed.push(node.id);
        }
    }
    failed
}

fn holds(node: &ClusterMembership) -> bool {
    node.quorum().borrow().held
}

#[tokio::test(start_paused = true)]
async fn an_id_that_runs_on_both_sides_is_one_member_and_harms_no_other() {
    let (world, nodes) = World::settled().await;
    world.split(&[3, 5], &[1, 2, 4, 13]);
    nodes[0].quorum().wait_for(|quorum| quorum.visible == 3).await.unwrap();
    sleep(LONG).await;
    // Whoever watches over it starts it again where it can be reached.
    let again = world.start(3, 13).await;
    sleep(LONG).await;
    let (small, large) = ([&nodes[2], &nodes[4]], [&nodes[0], &nodes[1], &nodes[3], &again]);
    assert!(small.iter().all(|node| !holds(node)) && large.iter().all(|node| holds(node)));

    let mut events: Vec<_> = [0, 1, 3].map(|node| nodes[node].subscribe()).into_iter().collect();
    world.0.heal();
    sleep(LONG).await;
    for node in [0, 1, 3, 4].map(|node| &nodes[node]) {
        let quorum = *node.quorum().borrow();
        assert_eq!(
            (quorum.held, quorum.total),
            (true, 5),
            "two processes of one id are one member: {quorum:?}"
        );
    }
    // Until an operator ends one of them: the other is the node then.
    nodes[2].leave().await;
    sleep(LONG).await;
    whole([&nodes[0], &nodes[1], &nodes[3], &nodes[4], &again].into_iter()).await;
    for events in &mut events {
        let failed = failed_of(events).await;
        assert!(failed.iter().all(|&failed| failed == id(3)), "{failed:?}");
        // Each answers at most once a second that it is the one: for a minute, and until its end is known.
        assert!((1..=130).contains(&failed.len()), "{}", failed.len());
    }
    let seen = nodes[0].visible_nodes().await;
    let third = seen.iter().find(|node| node.id == id(3)).expect("it is visible");
    assert_eq!(third.addr.ip(), host(13));
}
