//! Claims about keys: who understands whom, what is counted, and how keys are changed while nodes run.

use rpcnet::transport::memory::MemorySocket;

use super::*;
use crate::agent::gate::Gate;
use crate::agent::streams;
use crate::membership::{STREAM_BYTES_MAX, StreamFailure, Unreadable};
use crate::{Key, KeyError, Keyring, UnreadableCounts};

fn key(n: u8) -> Key {
    Key::from_bytes([n; 32])
}

fn keyring(n: u8) -> Keyring {
    Keyring::new(key(n))
}

/// Nodes 1 to `count`, each with a keyring of its own that holds the same key, who see each other.
async fn sealed_cluster(network: &MemoryNetwork, count: u8) -> Vec<(ClusterMembership, Keyring)> {
    let mut nodes = Vec::new();
    for host in 1..=count {
        let keyring = keyring(1);
        nodes.push((node(network, host).keyring(&keyring).join().await.unwrap(), keyring));
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (node, _) in &nodes {
        assert_eq!(node.visible_nodes().await.len(), usize::from(count));
    }
    nodes
}

fn unreadable(node: &ClusterMembership) -> (UnreadableCounts, UnreadableCounts) {
    let counters = node.counters();
    (counters.datagrams_unreadable, counters.streams_unreadable)
}

/// What happened since the subscription, up to now.
fn news(events: &mut Events) -> Vec<ClusterEvent> {
    let mut news = Vec::new();
    while let Some(Some(event)) = ready_now(events.recv()) {
        news.push(event);
    }
    news
}

/// The value of a future that is ready.
fn ready_now<T>(future: impl Future<Output = T>) -> Option<T> {
    let waker = std::task::Waker::noop();
    match std::pin::pin!(future).poll(&mut std::task::Context::from_waker(waker)) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_with_one_key_meet_and_find_who_is_gone_as_quickly_as_without() {
    let network = MemoryNetwork::new(21);
    let nodes = sealed_cluster(&network, 4).await;
    let mut events = nodes[0].0.subscribe();
    let start = Instant::now();
    network.kill(ip(4));
    until(&mut events, failed(nodes[3].0.local_node_id())).await;
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(unreadable(&nodes[0].0), Default::default());
}

#[tokio::test(start_paused = true)]
async fn keys_are_changed_in_three_steps_and_nobody_is_suspected_meanwhile() {
    let network = MemoryNetwork::new(22);
    let nodes = sealed_cluster(&network, 5).await;
    let mut events: Vec<_> = nodes.iter().map(|(node, _)| node.subscribe()).collect();
    events.iter_mut().for_each(|events| assert_eq!(news(events).len(), 5, "the view"));
    type Step = fn(&Keyring) -> Result<(), KeyError>;
    let steps: [Step; 3] = [
        |keyring| keyring.add(key(2)),
        |keyring| keyring.use_primary(key(2).id()),
        |keyring| keyring.remove(key(1).id()),
    ];
    for step in steps {
        for (_, keyring) in &nodes {
            step(keyring).unwrap();
            // Between any two nodes some time passes, and the last lags behind by more than any suspicion lasts.
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    for ((node, keyring), events) in nodes.iter().zip(&mut events) {
        assert_eq!(keyring.keys(), [key(2).id()]);
        assert_eq!(unreadable(node), Default::default(), "everything was understood");
        assert_eq!(news(events), [], "nothing happened");
    }
    // And the new key is the one that counts.
    let late = node(&network, 6).keyring(keyring(2)).join().await.unwrap();
    timeout(Duration::from_secs(5), late.joined()).await.expect("joined by the new key");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_lags_behind_with_the_old_primary_is_understood_until_that_key_is_removed() {
    let network = MemoryNetwork::new(23);
    let nodes = sealed_cluster(&network, 4).await;
    let (lagging, others) = nodes.split_last().unwrap();
    nodes.iter().for_each(|(_, keyring)| keyring.add(key(2)).unwrap());
    others.iter().for_each(|(_, keyring)| keyring.use_primary(key(2).id()).unwrap());
    let mut events = others[0].0.subscribe();
    news(&mut events);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(news(&mut events), []);
    assert_eq!(unreadable(&lagging.0), Default::default());

    // Removed too early: the laggard's datagrams are lost, and the counters say why. It is still reached by streams, which
    // it answers with the key that it was asked with.
    others.iter().for_each(|(_, keyring)| keyring.remove(key(1).id()).unwrap());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (datagrams, _) = unreadable(&others[0].0);
    assert!(datagrams.unknown_key > 0 && datagrams.total() == datagrams.unknown_key, "{datagrams:?}");
    assert!(!news(&mut events).iter().any(failed(lagging.0.local_node_id())));
    lagging.1.use_primary(key(2).id()).unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let counted = unreadable(&others[0].0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(unreadable(&others[0].0), counted, "understood again");
    assert_eq!(others[0].0.visible_nodes().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_missed_the_first_step_is_lost_and_comes_back_with_the_key() {
    let network = MemoryNetwork::new(27);
    let nodes = sealed_cluster(&network, 4).await;
    let (missed, others) = nodes.split_last().unwrap();
    let mut events = others[0].0.subscribe();
    let (old, new) = (key(1).id(), key(2).id());
    for (_, keyring) in others {
        keyring.add(key(2)).unwrap();
        keyring.use_primary(new).unwrap();
        keyring.remove(old).unwrap();
    }
    until(&mut events, failed(missed.0.local_node_id())).await;
    assert!(unreadable(&missed.0).0.unknown_key > 0);
    missed.1.add(key(2)).unwrap();
    missed.1.use_primary(new).unwrap();
    let id = missed.0.local_node_id();
    until(&mut events, |event| matches!(event, ClusterEvent::NodeRecovered(node) if node.id == id)).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_of_different_keys_or_none_never_meet_and_both_can_tell_why() {
    type Count = fn(&UnreadableCounts) -> u64;
    let unknown: Count = |counts| counts.unknown_key;
    let cases: [(Option<u8>, Option<u8>, Count, Count); 3] = [
        (Some(1), Some(2), unknown, unknown),
        (Some(1), None, |counts| counts.plaintext, |counts| counts.sealed),
        (None, Some(1), |counts| counts.sealed, |counts| counts.plaintext),
    ];
    for (seeds_key, joiners_key, at_seed, at_joiner) in cases {
        let network = MemoryNetwork::new(24);
        let start = async |host, n: Option<u8>| {
            let builder = node(&network, host);
            let builder = match n {
                Some(n) => builder.keyring(keyring(n)),
                None => builder,
            };
            builder.join().await.unwrap()
        };
        let (seed, joiner) = (start(1, seeds_key).await, start(2, joiners_key).await);
        tokio::time::sleep(Duration::from_secs(10)).await;
        for node in [&seed, &joiner] {
            assert_eq!(node.visible_nodes().await.len(), 1);
        }
        let ((_, seed), (_, joiner)) = (unreadable(&seed), unreadable(&joiner));
        assert!(at_seed(&seed) > 0 && at_seed(&seed) == seed.total(), "{seed:?}");
        // A seed in plain text hangs up on what it does not understand, and says nothing.
        assert_eq!(at_joiner(&joiner), joiner.total(), "{joiner:?}");
        assert!(joiner.total() > 0 || seeds_key.is_none(), "{joiner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seed_that_cannot_be_read_is_told_apart_from_one_that_does_not_answer() {
    let network = MemoryNetwork::new(25);
    let gate = |name: &str, n: Option<u8>| Gate::new(name, n.map(keyring));
    let sealed = |n| gate("test", Some(n));
    let unreadable = |why| Err(StreamFailure::Unreadable(why));
    let cases = [
        (sealed(1), sealed(2), unreadable(Unreadable::UnknownKey)),
        (sealed(1), gate("other", Some(1)), unreadable(Unreadable::OtherCluster)),
        (gate("test", None), sealed(1), unreadable(Unreadable::Sealed)),
        (sealed(1), gate("test", None), Err(StreamFailure::Unreachable)),
        (sealed(1), sealed(1), Ok(b"answer".to_vec())),
        (gate("test", None), gate("test", None), Ok(b"answer".to_vec())),
    ];
    for (host, (asker, answerer, expected)) in (1_u8..).zip(cases) {
        let through = |gate: Gate, host| {
            gate.transport(std::sync::Arc::new(network.host(ip(host))), std::sync::Arc::new(|_| {}))
        };
        let (server, mut requests) = streams::service(through(answerer, 100 + host));
        let server = server.bind(SocketAddr::new(ip(100 + host), PORT)).await.unwrap();
        tokio::spawn(server.serve());
        tokio::spawn(async move {
            let request = requests.recv().await.unwrap();
            assert_eq!(request.bytes, vec![7; STREAM_BYTES_MAX], "as large as they get");
            let _ = request.answer.send(Ok(b"answer".to_vec()));
        });
        let to = SocketAddr::new(ip(100 + host), PORT);
        let question = vec![7; STREAM_BYTES_MAX];
        let answer = streams::request(through(asker, host), to, question, Duration::from_secs(5)).await;
        assert_eq!(answer, expected, "case {host}");
    }
    let failure = StreamFailure::Unreadable(Unreadable::UnknownKey).to_string();
    assert_eq!(failure, "answered, but it seals with a key that is not in this node's keyring");
}

#[tokio::test(start_paused = true)]
async fn what_strangers_send_is_counted_by_its_reason_and_never_answered() {
    let network = MemoryNetwork::new(26);
    let nodes = sealed_cluster(&network, 2).await;
    let stranger = network.host(ip(9)).bind_datagrams(0).unwrap();
    let message = |name: &str| {
        let cluster = crate::membership::cluster_of(name);
        [&crate::membership::opening(cluster)[..], b"a message"].concat()
    };
    let sealed = |name: &str, n| Gate::new(name, Some(keyring(n))).outgoing(message(name)).unwrap();
    let mut forged = sealed("rpcnet", 1);
    *forged.last_mut().unwrap() ^= 1;
    let mut newer = sealed("rpcnet", 1);
    newer[1] = 0x22;
    for datagram in [
        message("rpcnet"),
        sealed("rpcnet", 2),
        sealed("other", 1),
        forged,
        newer,
        b"hello".to_vec(),
        Vec::new(),
    ] {
        stranger.send_to(&datagram, seed(1)).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (counts, _) = unreadable(&nodes[0].0);
    assert_eq!((counts.plaintext, counts.unknown_key, counts.other_cluster), (1, 1, 1));
    assert_eq!((counts.forged, counts.version, counts.malformed, counts.total()), (1, 1, 2, 7));
    assert_silence(&stranger);
    assert_eq!(nodes[0].0.visible_nodes().await.len(), 2);

    // A node in plain text counts what is sealed, and answers it no more.
    let plain = node(&network, 3).join().await.unwrap();
    stranger.send_to(&sealed("rpcnet", 1), seed(3)).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(unreadable(&plain).0.sealed, 1);
    assert_silence(&stranger);
}

fn assert_silence(stranger: &MemorySocket) {
    assert!(ready_now(stranger.recv_from()).is_none(), "nothing is answered");
}

#[tokio::test]
async fn a_keyring_lets_a_node_leave_the_loopback_and_two_meet_over_real_sockets() {
    let builder = || {
        let home = IpAddr::from([127, 0, 0, 1]);
        ClusterMembership::builder().bind("0.0.0.0:0").reachable_at(home)
    };
    let refused = builder().join().await.unwrap_err();
    assert!(refused.to_string().contains("keyring("), "{refused}");
    let first = builder().keyring(keyring(1)).join().await.unwrap();
    let second = builder().keyring(keyring(1)).seeds([first.local_addr()]).join().await.unwrap();
    timeout(Duration::from_secs(20), second.joined()).await.expect("joined");
    assert_eq!(second.visible_nodes().await.len(), 2);
    assert_eq!(unreadable(&second), Default::default());
}
