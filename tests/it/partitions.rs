//! The network splits: rows of the table of failures that the cluster is held to, one test each.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rpcnet::{CallError, Channel, Executed, Reason, Server, Status, prelude::*};
use rpcnet_cluster::{
    ClusterEvent, ClusterMembership, Events, NodeId,
    testkit::{TestCluster, TestNode},
};
use tokio::time::{sleep, timeout};

/// Longer than it may take to find a split out, and to heal one.
const LONG: Duration = Duration::from_secs(60);

/// Nodes `a` to `e`, settled, cut into the first two and the other three.
struct Halves {
    cluster: TestCluster,
    nodes: Vec<TestNode>,
}

impl Halves {
    async fn new() -> Self {
        let cluster = TestCluster::new(7);
        let mut nodes = Vec::new();
        for label in ["a", "b", "c", "d", "e"] {
            nodes.push(cluster.node(label).tag("role", "writer").start().await);
        }
        cluster.converged().await;
        for node in &nodes {
            node.membership().quorum().wait_for(|quorum| quorum.held && quorum.total == 5).await.unwrap();
        }
        Self { cluster, nodes }
    }

    fn small(&self) -> &ClusterMembership {
        self.nodes[0].membership()
    }

    fn large(&self) -> &ClusterMembership {
        self.nodes[4].membership()
    }

    fn split(&self) {
        let (small, large) = self.nodes.split_at(2);
        self.cluster.partition(&small.iter().collect::<Vec<_>>(), &large.iter().collect::<Vec<_>>());
    }

    fn ids(&self, nodes: std::ops::Range<usize>) -> Vec<NodeId> {
        let mut ids: Vec<_> =
            self.nodes[nodes].iter().map(|node| node.membership().local_node_id()).collect();
        ids.sort();
        ids
    }
}

async fn next(events: &mut Events, wanted: impl Fn(&ClusterEvent) -> bool) -> ClusterEvent {
    let found = async {
        loop {
            let event = events.recv().await.expect("the node runs");
            if wanted(&event) {
                return event;
            }
        }
    };
    timeout(LONG, found).await.expect("the event comes")
}

fn is_split(event: &ClusterEvent) -> bool {
    matches!(event, ClusterEvent::PartitionDetected { .. })
}

fn is_healed(event: &ClusterEvent) -> bool {
    matches!(event, ClusterEvent::PartitionHealed { .. })
}

/// Row 2: the network splits; each side knows its part, both go on, and healing merges the views.
#[tokio::test(start_paused = true)]
async fn row_2_each_side_of_a_split_knows_its_part_and_healing_says_so() {
    let halves = Halves::new().await;
    let (mut small, mut large) = (halves.small().subscribe(), halves.large().subscribe());
    halves.split();
    for events in [&mut small, &mut large] {
        let ClusterEvent::PartitionDetected { minority, majority } = next(events, is_split).await else {
            unreachable!("a split was waited for")
        };
        assert_eq!((minority, majority), (halves.ids(0..2), halves.ids(2..5)));
    }
    assert_eq!(halves.small().visible_nodes().await.len(), 2);
    assert_eq!(halves.large().visible_nodes().await.len(), 3);
    halves.cluster.heal();
    let ClusterEvent::PartitionHealed { rejoined, missing, .. } = next(&mut small, is_healed).await else {
        unreachable!("the end of the split was waited for")
    };
    assert_eq!((rejoined, missing), (halves.ids(2..5), vec![]));
    next(&mut large, is_healed).await;
    assert_eq!(halves.small().visible_nodes().await.len(), 5);
}

#[rpc_trait]
trait Ledger {
    #[rpc(read)]
    async fn balance(&self) -> rpcnet::Result<u64>;

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64>;
}

struct Account(Mutex<u64>);

impl Ledger for Account {
    async fn balance(&self) -> rpcnet::Result<u64> {
        Ok(*self.0.lock().unwrap())
    }

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64> {
        let mut held = self.0.lock().unwrap();
        *held += cents;
        Ok(*held)
    }
}

/// Row 8: quorum is lost; writes of the minority are refused with a clear error, and allowed again when it is back.
#[tokio::test(start_paused = true)]
async fn row_8_a_minority_refuses_writes_and_serves_reads_until_it_is_healed() {
    let halves = Halves::new().await;
    let ip = halves.nodes[0].ip();
    let host = halves.cluster.network().host(ip);
    let server = Server::builder()
        .layer(halves.small().quorum_gate())
        .service(LedgerServer::new(Account(Mutex::default())))
        .transport(host.clone())
        .bind(SocketAddr::new(ip, 9000))
        .await
        .unwrap();
    let ledger = LedgerClient::new(Channel::builder(server.local_addr()).transport(host).lazy());
    tokio::spawn(server.serve());
    assert_eq!(ledger.deposit(5).await.unwrap(), 5);

    let mut events = halves.small().subscribe();
    halves.split();
    halves.small().quorum().wait_for(|quorum| !quorum.held).await.unwrap();
    let refused: Status = match ledger.deposit(5).await {
        Err(CallError::Status(status)) => status,
        other => panic!("a write in the minority: {other:?}"),
    };
    assert_eq!((refused.reason(), refused.executed()), (Reason::QuorumLost, Executed::No));
    assert_eq!(refused.code(), rpcnet::Code::FailedPrecondition);
    assert!(refused.message().contains("of 5 nodes are in reach and 3 are needed"), "{refused}");
    assert_eq!(ledger.balance().await.unwrap(), 5);
    next(&mut events, is_split).await;
    assert!(halves.small().require_quorum().is_err());
    assert!(halves.large().require_quorum().is_ok());

    halves.cluster.heal();
    next(&mut events, is_healed).await;
    assert_eq!(ledger.deposit(5).await.unwrap(), 10);
}

/// Row 9: one designated leader; without a majority it steps down, and a follower without it turns read-only.
#[tokio::test(start_paused = true)]
async fn row_9_a_leader_without_a_majority_steps_down() {
    let halves = Halves::new().await;
    let first = halves.small().leader("role=writer").await.expect("a leader").id;
    for node in &halves.nodes {
        assert_eq!(node.membership().leader("role=writer").await.map(|node| node.id), Some(first));
    }
    assert!(halves.small().leader("role=reader").await.is_none());
    assert!(halves.large().can_reach(first).await && halves.small().can_reach_majority());

    let (mut small, mut large) = (halves.small().subscribe(), halves.large().subscribe());
    halves.split();
    next(&mut large, is_split).await;
    next(&mut small, is_split).await;
    assert!(halves.small().leader("role=writer").await.is_none());
    assert!(!halves.small().can_reach_majority());
    let second = halves.large().leader("role=writer").await.expect("the majority has one").id;
    let (minority, majority) = (halves.ids(0..2), halves.ids(2..5));
    assert!(majority.contains(&second));
    for other in minority {
        assert!(!halves.large().can_reach(other).await);
    }
    assert!(halves.large().can_reach_majority());
}

/// Row 10: the split heals; views are merged, then the application reconciles, then there is normal operation.
#[tokio::test(start_paused = true)]
async fn row_10_views_are_merged_then_reconciled_then_healed() {
    let cluster = TestCluster::new(11);
    let order: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut nodes = Vec::new();
    for label in ["a", "b", "c"] {
        let order = Arc::clone(&order);
        let node = cluster.node(label).reconcile(move |rejoined| {
            let order = Arc::clone(&order);
            async move {
                // What the others hold is fetched here.
                sleep(Duration::from_secs(2)).await;
                if label == "a" {
                    order.lock().unwrap().push(format!("reconciled with {}", rejoined.len()));
                }
            }
        });
        nodes.push(node.start().await);
    }
    cluster.converged().await;
    let cut_off = nodes[0].membership();
    cut_off.quorum().wait_for(|quorum| quorum.held && quorum.total == 3).await.unwrap();
    let mut events = cut_off.subscribe();
    cluster.partition(&[&nodes[0]], &[&nodes[1], &nodes[2]]);
    next(&mut events, is_split).await;
    cluster.heal();
    cut_off.resync().await;

    next(&mut events, |event| matches!(event, ClusterEvent::ViewsMerged { .. })).await;
    order.lock().unwrap().push("merged".to_owned());
    assert_eq!(cut_off.visible_nodes().await.len(), 3);
    assert!(cut_off.require_quorum().is_err());
    next(&mut events, is_healed).await;
    assert!(cut_off.require_quorum().is_ok());
    assert_eq!(*order.lock().unwrap(), ["merged", "reconciled with 2"]);
}
