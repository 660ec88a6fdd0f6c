//! What one node is told, all hear.

use super::super::record::Standing;
use super::super::{ClusterEvent, Incarnation, NodeState};
use super::net::{Net, addr, id, ms, secs};

#[test]
fn news_that_the_owner_told_to_one_reaches_all() {
    let mut net = Net::settled(20, 1);
    // From now on the owner reaches a single node, and says something new.
    (0..20).filter(|&other| other != 7 && other != 5).for_each(|other| net.cut(7, other));
    net.input(7, |membership, now| membership.set_tag(now, "role", "worker")).unwrap();
    let heard = |net: &Net, index: usize| net.hosts[index].view[&id(7)].tag("role") == Some("worker");
    assert!(net.run_until(secs(5), |net| heard(net, 5)).is_some());
    let took = net.run_until(secs(3), |net| (0..20).all(|index| heard(net, index)));
    println!("news relayed to 20: {took:?}");
    // Sooner than any sync could begin.
    assert!(took.is_some_and(|took| took <= ms(1_000)), "{took:?}");
    net.assert_views_fold();
}

#[test]
fn tags_set_and_removed_are_told_once_each() {
    let mut net = Net::settled(5, 2);
    let before = net.elapsed();
    net.input(1, |membership, now| membership.set_tag(now, "zone", "a")).unwrap();
    net.run_for(secs(2));
    assert!(net.input(1, |membership, now| membership.remove_tag(now, "zone")));
    net.run_for(secs(2));
    for observer in 0..5 {
        let zones: Vec<_> = net.events(observer, before).into_iter().map(zone).collect();
        assert_eq!(zones, [Some("a".to_owned()), None], "at node {observer}");
    }
}

fn zone(event: &ClusterEvent) -> Option<String> {
    let ClusterEvent::TagsChanged(node) = event else { panic!("{event:?}") };
    node.tag("zone").map(str::to_owned)
}

#[test]
fn news_that_no_gossip_delivered_is_found_by_comparing() {
    let mut net = Net::settled(2, 8);
    net.cut(0, 1);
    net.cut(1, 0);
    net.input(1, |membership, now| membership.set_tag(now, "zone", "b")).unwrap();
    // Longer than the news is repeated, and too short for an accusation.
    net.run_for(ms(1_900));
    assert_eq!(net.hosts[0].view[&id(1)].tag("zone"), None);
    net.mend();
    let took = net.run_until(secs(5), |net| net.hosts[0].view[&id(1)].tag("zone") == Some("b"));
    println!("found by comparing: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(3)), "{took:?}");
    assert_eq!(net.log.iter().filter(|l| matches!(l.event, ClusterEvent::NodeSuspected { .. })).count(), 0);
}

#[test]
fn whoever_compares_also_gives_what_the_other_lacks() {
    let mut net = Net::settled(2, 11);
    // Node 0 hears nothing from node 1 by datagram, so it is node 1 that notices the difference.
    net.no_datagrams = true;
    net.input(1, |membership, now| membership.set_tag(now, "zone", "c")).unwrap();
    let stale = super::refutation::says(&net, 0, 0, Standing::alive(Incarnation(0)));
    for _ in 0..2 {
        assert!(net.inject(1, &stale));
        net.run_for(ms(1_100));
    }
    assert_eq!(net.hosts[0].view[&id(1)].tag("zone"), Some("c"));
}

#[test]
fn a_farewell_is_heard_by_all_and_nobody_is_failed() {
    for (nodes, loss) in [(2, 0.0), (3, 0.2), (12, 0.2)] {
        let mut net = Net::settled(nodes, 3);
        net.loss = loss;
        net.input(1, |membership, now| membership.leave(now));
        let took = net.run_until(secs(5), |net| net.everywhere(1, NodeState::Left) && net.hosts[1].departed);
        println!("farewell n={nodes}: {took:?}");
        assert!(took.is_some_and(|took| took <= ms(3_500)), "{took:?}");
        net.run_for(secs(10));
        assert_eq!(net.failures().len(), 0);
        let left =
            net.events(0, secs(0)).into_iter().filter(|event| matches!(event, ClusterEvent::NodeLeft(_)));
        assert_eq!(left.count(), 1);
        net.loss = 0.0;
        net.assert_views_fold();
    }
}

#[test]
fn a_farewell_is_repeated_until_it_is_heard() {
    let mut net = Net::settled(2, 9);
    net.cut(0, 1);
    net.cut(1, 0);
    net.input(1, |membership, now| membership.leave(now));
    // Longer than gossip would repeat it.
    net.run_for(ms(1_700));
    net.mend();
    let took = net.run_until(secs(2), |net| net.state(0, 1) == Some(NodeState::Left));
    assert!(took.is_some_and(|took| took <= ms(300)), "{took:?}");
    assert_eq!(net.failures().len(), 0);
}

#[test]
fn a_leaver_answers_for_another_second() {
    let mut net = Net::settled(3, 10);
    net.input(1, |membership, now| membership.leave(now));
    let took = net.run_until(secs(5), |net| net.hosts[1].departed);
    assert!(took.is_some_and(|took| took >= secs(1)), "{took:?}");
}

#[test]
fn a_node_that_left_can_come_back() {
    let mut net = Net::settled(4, 4);
    net.input(1, |membership, now| membership.leave(now));
    net.run_for(secs(5));
    assert!(net.hosts[0].view.len() == 3);
    net.restart(1, addr(1), &[addr(0)]);
    assert!(net.run_until(secs(5), |net| net.all_see(4)).is_some());
}

#[test]
fn a_hundred_nodes_with_one_seed_find_each_other_within_two_seconds() {
    let mut net = Net::empty(5);
    for _ in 0..100 {
        net.start(&[addr(0)]);
    }
    let took = net.run_until(secs(10), |net| net.all_see(100));
    println!("bootstrap of 100: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(2)), "{took:?}");
    net.assert_views_fold();
}

#[test]
fn a_quiet_node_sends_little_whatever_the_size() {
    for nodes in [10, 60] {
        let mut net = Net::settled(nodes, 6);
        net.run_for(secs(10));
        let before: usize = net.hosts.iter().map(|host| host.sent_bytes).sum();
        net.run_for(secs(20));
        let after: usize = net.hosts.iter().map(|host| host.sent_bytes).sum();
        let rate = (after - before) / nodes / 20;
        println!("steady n={nodes}: {rate} B/s a node");
        // Twelve packets a second, with their headers and seals.
        assert!(rate <= 1_450, "{nodes} nodes: {rate} B/s");
    }
}

#[test]
fn two_halves_that_lost_each_other_come_together_again() {
    let mut net = Net::settled(8, 7);
    let sides = |a: usize, b: usize| (a < 4) != (b < 4);
    for (a, b) in (0..8).flat_map(|a| (0..8).map(move |b| (a, b))).filter(|&(a, b)| sides(a, b)) {
        net.cut(a, b);
    }
    let took = net.run_until(secs(40), |net| net.all_see(4));
    println!("half split of 8: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(15)), "{took:?}");
    net.run_for(secs(30));
    let failures = net.failures().len();
    net.mend();
    let took = net.run_until(secs(20), |net| net.all_see(8));
    println!("healed: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(6)), "{took:?}");
    net.run_for(secs(20));
    assert!(net.all_see(8));
    assert_eq!(net.failures().len(), failures, "healing declares nobody dead");
    net.assert_views_fold();
}
