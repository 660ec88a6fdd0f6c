//! Recorded messages, sent again. A seal does not stop that: it opens a second time, and anywhere in the cluster.

use super::super::{Malformed, NodeState};
use super::net::{Net, Said, addr, secs};

/// Sends everything to every node that is there, somewhat faster than it was said.
fn replay(net: &mut Net, said: &[Said], nodes: &[usize]) {
    for chunk in said.chunks(20) {
        for (message, &index) in
            chunk.iter().flat_map(|message| nodes.iter().map(move |index| (message, index)))
        {
            match message {
                Said::Datagram(bytes) => drop(net.inject(index, bytes)),
                Said::Request(bytes) => {
                    let _ = net.input(index, |membership, now| membership.handle_stream_request(now, bytes));
                }
            }
        }
        net.run_for(super::net::ms(50));
    }
}

#[test]
fn a_whole_life_of_the_cluster_said_again_changes_nothing() {
    let mut net = Net::empty(1);
    net.recorded = Some(Vec::new());
    net.settle(6);
    net.input(1, |membership, now| membership.set_tag(now, "stage", "old")).unwrap();
    // Suspected, and back by its own word.
    net.pause(1);
    let suspected = net.run_until(secs(15), |net| net.state(0, 1) == Some(NodeState::Suspect));
    assert!(suspected.is_some());
    net.resume(1);
    net.restart(2, addr(2), &[addr(0)]);
    net.input(3, |membership, now| membership.leave(now));
    net.exit(4);
    net.darken(5);
    net.run_for(secs(20));
    net.input(1, |membership, now| membership.set_tag(now, "stage", "new")).unwrap();
    net.run_for(secs(10));
    let said = net.recorded.take().unwrap();
    assert!(said.len() > 500, "{} messages", said.len());
    let there = [0, 1, 2];
    let views = |net: &Net| there.map(|index| net.hosts[index].view.clone());
    let (before, told) = (views(&net), net.log.len());
    assert_eq!(before[0].len(), 3);

    replay(&mut net, &said, &there);
    net.run_for(secs(20));
    assert_eq!(views(&net), before);
    let news: Vec<_> = net.log[told..].iter().map(|logged| &logged.event).collect();
    assert!(news.is_empty(), "{news:?}");
    for gone in [3, 4, 5] {
        assert!(!net.state(0, gone).unwrap().is_visible(), "nobody is brought back by an old word");
    }
}

#[test]
fn answers_of_a_former_life_do_not_keep_a_silent_host_alive() {
    let mut net = Net::empty(2);
    net.recorded = Some(Vec::new());
    net.settle(5);
    let said = net.recorded.take().unwrap();
    net.darken(4);
    let there = [0, 1, 2, 3];
    // For ten seconds; a silent host is failed within eight.
    for _ in 0..10_000 / (50 * said.len().div_ceil(20)) {
        replay(&mut net, &said, &there);
    }
    assert_eq!(there.map(|index| net.state(index, 4)), [Some(NodeState::Failed); 4]);
    assert!(there.iter().all(|&index| net.hosts[index].view.len() == 4), "and nobody else is");
}

#[test]
fn a_node_s_own_datagrams_sent_back_to_it_are_refused() {
    let mut net = Net::settled(2, 3);
    let before = net.hosts[0].view.clone();
    net.recorded = Some(Vec::new());
    net.pause(1);
    net.run_for(secs(1));
    for said in net.recorded.take().unwrap() {
        if let Said::Datagram(bytes) = said {
            let result = net.input(0, |membership, now| membership.handle_datagram(now, addr(1), &bytes));
            assert_eq!(result, Err(Malformed::Own));
        }
    }
    assert_eq!(net.hosts[0].view, before);
}
