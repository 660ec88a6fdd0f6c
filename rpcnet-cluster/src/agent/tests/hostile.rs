//! Claims about what arrives at the real socket from somebody who means harm.

use std::collections::BTreeMap;

use super::*;
use crate::agent::gate::Gate;
use crate::membership::{Config, Generation, Identity, Membership, Output};
use crate::{Key, Keyring, Node, UnreadableCounts};

const LONG: Duration = Duration::from_secs(30);

fn keyring(n: u8) -> Keyring {
    Keyring::new(Key::from_bytes([n; 32]))
}

/// Two nodes that see each other over the loopback, sealed, and a stranger's socket.
async fn pair() -> (ClusterMembership, ClusterMembership, UdpSocket) {
    let first = ClusterMembership::builder().keyring(keyring(1)).join().await.unwrap();
    let seeds = [first.local_addr()];
    let second = ClusterMembership::builder().keyring(keyring(1)).seeds(seeds).join().await.unwrap();
    timeout(LONG, second.joined()).await.expect("joined");
    (first, second, UdpSocket::bind("127.0.0.1:0").await.unwrap())
}

/// Real datagrams of an early start of a node, the ping of a first heartbeat among them, in the cluster of this name and
/// sealed with this key: what an outsider could make, or somebody recorded.
fn datagrams(id: NodeId, name: &str, key: u8, to: SocketAddr) -> Vec<Vec<u8>> {
    let me = Identity::new(id, Generation(1), SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut node = Membership::new(me, Config::new(name), 1);
    let now = std::time::Instant::now();
    // Another node of that cluster, which tells this one of itself so that it has somebody to send to.
    let other = Identity::new(NodeId::new(uuid::Uuid::from_u128(0xfeed)), Generation(1), to);
    let mut other = Membership::new(other, Config::new(name), 2);
    other.join(now, &[SocketAddr::from(([127, 0, 0, 1], 9))]);
    let join = std::iter::from_fn(|| other.poll_output());
    let join = join.into_iter().find_map(|output| match output {
        Output::Stream { bytes, .. } => Some(bytes),
        _ => None,
    });
    node.join(now, &[]);
    node.handle_stream_request(now, &join.expect("a seed is asked")).unwrap();
    node.handle_timeout(now + Duration::from_secs(2));
    let gate = Gate::new(name, Some(keyring(key)));
    let sent = std::iter::from_fn(|| node.poll_output()).filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(gate.outgoing(bytes).unwrap()),
        _ => None,
    });
    sent.collect()
}

async fn counted(node: &ClusterMembership, least: u64) -> UnreadableCounts {
    let enough = async {
        while node.counters().datagrams_unreadable.total() < least {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, enough).await.expect("counted");
    node.counters().datagrams_unreadable
}

async fn view(node: &ClusterMembership) -> BTreeMap<NodeId, Node> {
    node.visible_nodes().await.into_iter().map(|node| (node.id, node)).collect()
}

#[tokio::test]
async fn a_wrong_key_another_cluster_and_a_forgery_are_each_counted_and_never_answered() {
    let (node, second, stranger) = pair().await;
    let (before, to, id) = (view(&node).await, node.local_addr(), second.local_node_id());
    let mut forged = datagrams(id, "rpcnet", 1, to).remove(0);
    *forged.last_mut().unwrap() ^= 1;
    for datagram in [
        datagrams(id, "rpcnet", 2, to).remove(0),
        datagrams(id, "other", 1, to).remove(0),
        forged,
        vec![0; 64],
    ] {
        stranger.send_to(&datagram, to).await.unwrap();
    }
    let counts = counted(&node, 4).await;
    assert_eq!((counts.unknown_key, counts.other_cluster, counts.forged, counts.total()), (1, 1, 1, 4));
    assert_eq!(view(&node).await, before);
    assert!(stranger.try_recv_from(&mut [0; 2_000]).is_err(), "nothing is answered");
}

/// A recorded packet can be read, so it is not refused. What it says is known to be old.
#[tokio::test]
async fn a_replay_changes_nothing_and_brings_back_as_much_as_was_sent_and_a_word_a_second() {
    let (node, second, stranger) = pair().await;
    let (before, to, id) = (view(&node).await, node.local_addr(), second.local_node_id());
    let recorded = datagrams(id, "rpcnet", 1, to);
    let (mut sent, mut heard, mut buffer) = (0, 0, [0; 2_000]);
    let begin = Instant::now();
    for _ in 0..50 {
        for datagram in &recorded {
            sent += stranger.send_to(datagram, to).await.unwrap();
        }
        while let Ok(Ok((length, _))) =
            timeout(Duration::from_millis(2), stranger.recv_from(&mut buffer)).await
        {
            heard += length;
        }
    }
    // A ping is acknowledged; once a second the sender is told besides that there is a later start of it.
    let told = 200 * (begin.elapsed().as_secs() as usize + 2);
    assert!(heard <= sent + told, "{heard} bytes for {sent}");
    assert_eq!(node.counters().datagrams_unreadable.total(), 0);
    assert_eq!(view(&node).await, before);
}

#[tokio::test]
async fn a_flood_is_counted_or_dropped_by_the_system_and_the_node_goes_on_judging_well() {
    let (node, second, stranger) = pair().await;
    let mut events = node.subscribe();
    let to = node.local_addr();
    let garbage = datagrams(second.local_node_id(), "rpcnet", 2, to).remove(0);
    let begin = node.counters().datagrams_received;
    let mut sent = 0_u64;
    for _ in 0..200 {
        for _ in 0..100 {
            sent += u64::from(stranger.send_to(&garbage, to).await.is_ok());
        }
        tokio::task::yield_now().await;
    }
    let counts = counted(&node, 1_000).await;
    let received = node.counters().datagrams_received - begin;
    assert!(counts.total() == counts.unknown_key && counts.total() <= sent, "{counts:?} of {sent}");
    assert!(received >= counts.total(), "nothing is refused that was not received");
    // It still answers, takes commands, and has failed nobody.
    second.set_tag("after", "flood").await.unwrap();
    let tagged = async {
        loop {
            match events.recv().await.expect("the node runs") {
                ClusterEvent::NodeFailed(node) => panic!("{node:?} failed"),
                ClusterEvent::TagsChanged(_) => return,
                _ => {}
            }
        }
    };
    timeout(LONG, tagged).await.expect("news still arrives");
}
