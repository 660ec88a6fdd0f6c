//! Who is unwell by turns says so, and stays a member.

use super::super::message::update_bytes;
use super::super::record::{Standing, Update};
use super::super::{ClusterEvent, Generation, Incarnation, Node};
use super::net::{Net, addr, id, ms, secs};
use super::refutation::{accused_by, says};

/// What every node was told of node `subject`, itself included.
fn told(net: &Net, subject: usize) -> Vec<bool> {
    net.running().map(|index| net.hosts[index].view[&id(subject)].degraded).collect()
}

fn all_told(net: &Net, subject: usize, degraded: bool) -> bool {
    told(net, subject).iter().all(|&told| told == degraded)
}

/// Node 2 stands still so often, long enough to be accused and not long enough to be failed.
fn stalls(net: &mut Net, times: usize) {
    for _ in 0..times {
        net.pause(2);
        net.run_for(secs(4));
        net.resume(2);
        net.run_for(secs(10));
    }
}

#[test]
fn a_node_that_is_slow_by_turns_is_degraded_for_all_and_failed_for_nobody() {
    for nodes in [3, 6] {
        let mut net = Net::settled(nodes, 1);
        stalls(&mut net, 2);
        assert!(all_told(&net, 2, false), "two slips come to anybody");
        stalls(&mut net, 1);
        assert!(all_told(&net, 2, true), "{:?}", told(&net, 2));
        assert!((0..nodes).filter(|&other| other != 2).all(|other| all_told(&net, other, false)));
        assert_eq!(net.failures().len(), 0);
        net.assert_views_fold();
    }
}

#[test]
fn a_minute_of_calm_makes_it_well_again_and_both_are_told_once() {
    let mut net = Net::settled(5, 2);
    // The later refutations say again what the third said, the first packet of each included.
    stalls(&mut net, 6);
    let took = net.run_until(secs(90), |net| all_told(net, 2, false)).expect("calm ends it");
    assert!(took >= secs(45) && took <= secs(55), "{took:?} after the ten seconds that have passed already");
    for observer in 0..5 {
        let changed = |event: &ClusterEvent| match event {
            ClusterEvent::TagsChanged(node) if node.id == id(2) => Some(node.degraded),
            _ => None,
        };
        let changes: Vec<_> = net.events(observer, secs(0)).into_iter().filter_map(changed).collect();
        assert_eq!(changes, [true, false], "node {observer}");
    }
    net.assert_views_fold();
}

#[test]
fn who_is_accused_thrice_and_lives_is_degraded_by_its_own_word() {
    let mut net = Net::settled(5, 3);
    for times in 1..=3 {
        let incarnation = net.hosts[2].membership.local_node().incarnation;
        let bytes = says(&net, 1, 2, Standing { incarnation, ..accused_by(1, false) });
        net.inject(0, &bytes);
        net.run_for(secs(6));
        assert!(all_told(&net, 2, times == 3), "{times}");
        assert_eq!(net.hosts[2].membership.local_node().incarnation, Incarnation(times));
    }
    assert_eq!(net.failures().len(), 0);
}

#[test]
fn an_accusation_leaves_the_accused_degraded() {
    let mut net = Net::settled(5, 4);
    stalls(&mut net, 3);
    net.exit(2);
    let since = net.elapsed();
    net.run_for(secs(3));
    let degraded = |event: &ClusterEvent| match event {
        ClusterEvent::NodeSuspected { node, .. } | ClusterEvent::NodeFailed(node) => Some(node.degraded),
        _ => None,
    };
    let told: Vec<_> = net.events(0, since).into_iter().filter_map(degraded).collect();
    assert!(!told.is_empty() && told.iter().all(|&degraded| degraded), "{told:?}");
}

#[test]
fn a_process_that_starts_again_begins_well() {
    let mut net = Net::settled(4, 5);
    stalls(&mut net, 3);
    net.exit(2);
    net.run_for(ms(100));
    net.restart(2, addr(2), &[addr(0)]);
    net.run_for(secs(5));
    assert!(all_told(&net, 2, false), "{:?}", told(&net, 2));
    net.assert_views_fold();
}

#[test]
fn a_cluster_in_which_nothing_happens_has_no_degraded_node() {
    let mut net = Net::settled(6, 6);
    net.loss = 0.1;
    net.run_for(secs(600));
    let degraded = |node: &Node| node.degraded;
    assert!(net.running().all(|index| !net.hosts[index].view.values().any(degraded)));
}

#[test]
fn the_bytes_say_it_beside_the_state() {
    let standing = Standing { degraded: true, ..Standing::alive(Incarnation(3)) };
    let update = |standing| Update::Brief { id: id(1), generation: Generation(5), standing };
    let mut expected = vec![0];
    expected.extend_from_slice(&id(1).to_bytes());
    expected.extend_from_slice(&[5, 3, 0x80, 0]);
    assert_eq!(update_bytes(&update(standing)), expected);
    expected[19] = 0;
    assert_eq!(update_bytes(&update(Standing::alive(Incarnation(3)))), expected);
}
