//! Claims about whole nodes: in a network in memory under a paused clock, and over real sockets of the loopback.

mod hostile;
mod keys;
mod sealed;
mod state;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rpcnet::transport::memory::MemoryNetwork;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use super::{ClusterMembership, ClusterMembershipBuilder, Events, JoinError};
use crate::membership::{ClusterEvent, NodeId, NodeState, TagError};

const PORT: u16 = 7_946;

fn ip(host: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, host])
}

fn seed(host: u8) -> SocketAddr {
    SocketAddr::new(ip(host), PORT)
}

fn node(network: &MemoryNetwork, host: u8) -> ClusterMembershipBuilder {
    let builder = ClusterMembership::builder().memory_host(network.host(ip(host)));
    builder.bind(format!("0.0.0.0:{PORT}")).seeds([seed(1)]).label(format!("n{host}"))
}

/// Nodes 1 to `count`, who see each other.
async fn cluster(network: &MemoryNetwork, count: u8) -> Vec<ClusterMembership> {
    let mut nodes = Vec::new();
    for host in 1..=count {
        nodes.push(node(network, host).join().await.unwrap());
    }
    for node in &nodes {
        let mut events = node.subscribe();
        let mut seen = 0;
        while seen < usize::from(count) {
            seen += usize::from(matches!(next(&mut events).await, ClusterEvent::NodeJoined(_)));
        }
    }
    nodes
}

/// The next event; a test that waits a minute of its clock has failed.
async fn next(events: &mut Events) -> ClusterEvent {
    timeout(Duration::from_secs(60), events.recv()).await.expect("an event").expect("the node runs")
}

async fn until(events: &mut Events, wanted: impl Fn(&ClusterEvent) -> bool) -> ClusterEvent {
    loop {
        let event = next(events).await;
        if wanted(&event) {
            return event;
        }
    }
}

fn failed(id: NodeId) -> impl Fn(&ClusterEvent) -> bool {
    move |event| matches!(event, ClusterEvent::NodeFailed(node) if node.id == id)
}

#[tokio::test(start_paused = true)]
async fn nodes_find_each_other_and_read_what_each_says_of_itself() {
    let network = MemoryNetwork::new(1);
    let first = node(&network, 1).join().await.unwrap();
    let rpc = SocketAddr::from(([0, 0, 0, 0], 7_001));
    let second = node(&network, 2).tag("role", "worker").capacity(8).advertise(rpc).join().await.unwrap();
    second.joined().await;
    let mut events = first.subscribe();
    let joined =
        |event: &ClusterEvent| matches!(event, ClusterEvent::NodeJoined(n) if n.id == second.local_node_id());
    let ClusterEvent::NodeJoined(seen) = until(&mut events, joined).await else { unreachable!() };
    assert_eq!((seen.addr, &*seen.label, seen.capacity), (seed(2), "n2", 8));
    assert_eq!(
        seen.rpc_addr,
        Some(SocketAddr::new(ip(2), 7_001)),
        "a wildcard is announced as the node's address"
    );
    assert_eq!(seen.tag("role"), Some("worker"));
    assert_eq!(first.visible_nodes().await, second.visible_nodes().await);
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_is_failed_within_two_seconds_and_a_silent_host_within_eight() {
    for silent in [false, true] {
        let network = MemoryNetwork::new(2);
        let mut nodes = cluster(&network, 4).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut events = nodes[0].subscribe();
        let start = Instant::now();
        let victim = nodes.pop().unwrap();
        if silent {
            (1..4).for_each(|host| network.cut(ip(host), ip(4)));
        } else {
            network.kill(ip(4));
        }
        until(&mut events, failed(victim.local_node_id())).await;
        let took = start.elapsed();
        println!("silent={silent}: {took:?}");
        let (least, most) = if silent { (4, 8) } else { (0, 2) };
        assert!(took >= Duration::from_secs(least) && took <= Duration::from_secs(most), "{took:?}");
        assert_eq!(nodes[0].visible_nodes().await.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_node_stops_and_a_leaving_one_says_so() {
    let network = MemoryNetwork::new(3);
    let mut nodes = cluster(&network, 4).await;
    let mut events = nodes[0].subscribe();
    let leaver = nodes.pop().unwrap();
    let mut own = leaver.subscribe();
    leaver.leave().await;
    let left = until(&mut events, |event| !matches!(event, ClusterEvent::NodeJoined(_))).await;
    assert!(matches!(left, ClusterEvent::NodeLeft(node) if node.id == leaver.local_node_id()));
    while own.recv().await.is_some() {}
    assert_eq!(leaver.set_tag("a", "b").await, Err(TagError::NotRunning));

    let dropped = nodes.pop().unwrap();
    let id = dropped.local_node_id();
    let start = Instant::now();
    drop(dropped);
    until(&mut events, failed(id)).await;
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn tags_change_while_running_and_too_large_ones_are_refused() {
    let network = MemoryNetwork::new(4);
    let nodes = cluster(&network, 2).await;
    let mut events = nodes[0].subscribe();
    nodes[1].set_tag("zone", "a").await.unwrap();
    let changed = |event: &ClusterEvent| matches!(event, ClusterEvent::TagsChanged(_));
    let ClusterEvent::TagsChanged(node) = until(&mut events, changed).await else { unreachable!() };
    assert_eq!((node.id, node.tag("zone")), (nodes[1].local_node_id(), Some("a")));
    let refused = nodes[1].set_tag("blob", "x".repeat(10_000)).await.unwrap_err();
    assert!(matches!(refused, TagError::TooLarge { .. }), "{refused}");
    assert!(nodes[1].remove_tag("zone").await);
    assert!(!nodes[1].remove_tag("zone").await);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_told_what_it_lost_and_then_the_whole_view() {
    let network = MemoryNetwork::new(5);
    let nodes = cluster(&network, 2).await;
    let mut slow = nodes[0].subscribe();
    assert!(matches!(next(&mut slow).await, ClusterEvent::NodeJoined(_)));
    assert!(matches!(next(&mut slow).await, ClusterEvent::NodeJoined(_)));
    for round in 0..1_500 {
        nodes[0].set_tag("round", round.to_string()).await.unwrap();
    }
    assert_eq!(next(&mut slow).await, ClusterEvent::Lagged { dropped: 1_500 });
    let mut view = Vec::new();
    for _ in 0..2 {
        let ClusterEvent::NodeJoined(node) = next(&mut slow).await else { panic!("the view comes first") };
        view.push(node);
    }
    assert_eq!(view, nodes[0].visible_nodes().await);
    assert!(view.iter().any(|node| node.tag("round") == Some("1499")));
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_seeds_are_dead_runs_and_is_joined_when_one_comes_up() {
    let network = MemoryNetwork::new(6);
    let early = node(&network, 2).join().await.unwrap();
    assert_eq!(early.visible_nodes().await.len(), 1);
    assert!(timeout(Duration::from_secs(40), early.joined()).await.is_err(), "not alone by mistake");
    let _late = node(&network, 1).join().await.unwrap();
    timeout(Duration::from_secs(20), early.joined()).await.expect("the seed is tried for ever");
    assert_eq!(early.visible_nodes().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_partition_in_memory_heals() {
    let network = MemoryNetwork::new(7);
    let nodes = cluster(&network, 4).await;
    network.partition(&[ip(1), ip(2)], &[ip(3), ip(4)]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(nodes[0].visible_nodes().await.len(), 2);
    network.heal();
    tokio::time::sleep(Duration::from_secs(8)).await;
    for node in &nodes {
        assert_eq!(node.visible_nodes().await.len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn the_table_for_operators_shows_phi_and_its_deadline() {
    let network = MemoryNetwork::new(8);
    let nodes = cluster(&network, 3).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    (1..3).for_each(|host| network.cut(ip(host), ip(3)));
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let table = nodes[0].members().await;
    assert_eq!(table.len(), 3);
    let silent = table.iter().find(|line| line.node.id == nodes[2].local_node_id()).unwrap();
    assert!(silent.observed && silent.state.is_visible() && silent.deadline.is_some(), "{silent:?}");
    let well = table.iter().find(|line| line.node.id == nodes[1].local_node_id()).unwrap();
    assert_eq!(well.state, NodeState::Alive);
    assert!(well.round_trip.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_a_dead_node_makes_it_fail_sooner_and_of_a_live_one_harms_nobody() {
    let network = MemoryNetwork::new(9);
    let nodes = cluster(&network, 3).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..50 {
        nodes[0].report_failure(nodes[1].local_node_id());
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(nodes[0].visible_nodes().await.len(), 3);
    let mut events = nodes[0].subscribe();
    let start = Instant::now();
    network.kill(ip(3));
    nodes[0].report_failure(nodes[2].local_node_id());
    nodes[1].report_failure(nodes[2].local_node_id());
    until(&mut events, failed(nodes[2].local_node_id())).await;
    assert!(start.elapsed() <= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_its_own_only_seed_waits_for_nobody() {
    let network = MemoryNetwork::new(10);
    let first = node(&network, 1).join().await.unwrap();
    timeout(Duration::from_secs(1), first.joined()).await.expect("there is nobody to wait for");
}

#[tokio::test]
async fn a_seed_that_is_no_address_is_refused_by_name() {
    for seed in ["localhost", "10.0.0.1", "http://seed:1", "seed:99999", "::1", ""] {
        let error = ClusterMembership::builder().seeds([seed]).join().await.unwrap_err();
        assert!(matches!(&error, JoinError::Seed { seed: named } if named == seed), "{error}");
        assert!(error.to_string().contains("host:port"), "{error}");
    }
}

// --- over real sockets: nothing here depends on how fast the machine is ------------------------------------------

#[tokio::test]
async fn two_nodes_meet_over_the_loopback_on_one_port_number_each() {
    let first = ClusterMembership::builder().bind("127.0.0.1:0").join().await.unwrap();
    let seeds = [first.local_addr()];
    let second = ClusterMembership::builder().bind("127.0.0.1:0").seeds(seeds).join().await.unwrap();
    timeout(Duration::from_secs(20), second.joined()).await.expect("joined");
    assert_eq!(second.visible_nodes().await.len(), 2);
    // The port answers both ways.
    TcpStream::connect(first.local_addr()).await.unwrap();
    assert!(UdpSocket::bind(first.local_addr()).await.is_err());
}

#[tokio::test]
async fn garbage_on_either_port_changes_nothing_and_is_counted() {
    let node = ClusterMembership::builder().join().await.unwrap();
    let other =
        ClusterMembership::builder().cluster_name("other").seeds([node.local_addr()]).join().await.unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    udp.send_to(&[0xff; 3_000], node.local_addr()).await.unwrap();
    udp.send_to(b"hello", node.local_addr()).await.unwrap();
    let mut tcp = TcpStream::connect(node.local_addr()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut tcp, &[0xff; 4_096]).await.unwrap();
    let counted = async {
        loop {
            let counters = node.counters();
            if counters.datagrams_unreadable.total() >= 2 && counters.streams_unreadable.total() >= 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), counted).await.expect("counted");
    assert_eq!((node.visible_nodes().await.len(), other.visible_nodes().await.len()), (1, 1));
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let node = ClusterMembership::builder().join().await.unwrap();
    let error = ClusterMembership::builder().bind(node.local_addr()).join().await.unwrap_err();
    assert!(matches!(error, JoinError::InUse { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&node.local_addr().to_string()) && text.contains("port 0"), "{text}");
    // Also when only the datagrams' half of it is taken.
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let taken = ClusterMembership::builder().bind(udp.local_addr().unwrap()).join().await.unwrap_err();
    assert!(matches!(taken, JoinError::InUse { addr } if addr == udp.local_addr().unwrap()), "{taken}");
}

#[tokio::test]
async fn plain_text_stays_on_the_loopback_unless_allowed() {
    let refused = ClusterMembership::builder().bind("0.0.0.0:0").join().await.unwrap_err();
    assert!(refused.to_string().contains("allow_plaintext()"), "{refused}");
    let wildcard = ClusterMembership::builder().bind("0.0.0.0:0").allow_plaintext().join().await.unwrap_err();
    assert!(wildcard.to_string().contains("reachable_at(ip)"), "{wildcard}");
    let home = IpAddr::from([127, 0, 0, 1]);
    let node = ClusterMembership::builder()
        .bind("0.0.0.0:0")
        .allow_plaintext()
        .reachable_at(home)
        .join()
        .await
        .unwrap();
    assert_eq!(node.local_addr().ip(), home);
}
