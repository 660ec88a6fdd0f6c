//! One, two and three nodes: the first clusters anybody runs.

use super::super::{ClusterEvent, NodeState};
use super::net::{Net, addr, id, ms, secs};

#[test]
fn a_node_alone_goes_on_and_names_the_seed_it_cannot_reach() {
    let mut net = Net::empty(1);
    let seed = addr(99);
    net.start(&[seed]);
    net.run_for(secs(120));
    assert_eq!(net.hosts[0].view.len(), 1, "no member is made up for a seed");
    let tries = net.seeds_unreachable.len();
    assert!((8..30).contains(&tries), "tried again with backoff, {tries} times");
    assert!(net.seeds_unreachable.iter().all(|&(_, named, _)| named == seed));
    assert!(!net.hosts[0].joined);
}

#[test]
fn of_two_nodes_a_silent_one_is_failed_on_the_others_word_after_the_longest_wait() {
    for seed in 0..10 {
        let mut net = Net::settled(2, seed);
        net.run_for(ms(100 * seed));
        net.darken(1);
        let took = net.run_until(secs(30), |net| net.state(0, 1) == Some(NodeState::Failed));
        println!("silent n=2: {took:?}");
        assert!(took.is_some_and(|took| took >= secs(18) && took <= secs(19)), "{took:?}");
        assert_eq!(net.hosts[0].view.len(), 1);
    }
}

#[test]
fn a_third_node_that_comes_later_does_not_bring_the_failed_one_back() {
    let mut net = Net::settled(2, 3);
    net.darken(1);
    net.run_for(secs(25));
    let third = net.start(&[addr(0)]);
    net.run_for(secs(30));
    assert_eq!(net.state(0, 1), Some(NodeState::Failed));
    assert_ne!(net.state(third, 1), Some(NodeState::Alive));
    net.assert_views_fold();
}

#[test]
fn of_three_nodes_two_dead_ones_are_failed_by_the_last() {
    let mut net = Net::settled(3, 4);
    net.darken(1);
    net.darken(2);
    let took = net.run_until(secs(60), |net| net.all_see(1));
    println!("two of three silent: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(25)), "{took:?}");
}

#[test]
fn of_two_nodes_the_survivor_takes_the_other_back() {
    let mut net = Net::settled(2, 5);
    net.cut(0, 1);
    net.cut(1, 0);
    assert!(net.run_until(secs(30), |net| net.all_see(1)).is_some());
    net.mend();
    let took = net.run_until(secs(20), |net| net.all_see(2));
    println!("two nodes heal: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(5)), "{took:?}");
    let recovered =
        |event: &&ClusterEvent| matches!(event, ClusterEvent::NodeRecovered(node) if node.id == id(1));
    assert_eq!(net.events(0, secs(0)).iter().filter(|event| recovered(event)).count(), 1);
    net.assert_views_fold();
}

#[test]
fn a_node_joins_by_its_second_seed_when_the_first_is_dead() {
    let mut net = Net::empty(6);
    net.start(&[]);
    let joiner = net.start(&[addr(77), addr(0)]);
    let took = net.run_until(secs(5), |net| net.all_see(2));
    assert!(took.is_some_and(|took| took <= ms(500)), "{took:?}");
    assert!(net.hosts[joiner].joined);
    assert!(net.seeds_unreachable.iter().any(|&(index, seed, _)| (index, seed) == (joiner, addr(77))));
}

#[test]
fn a_seed_that_comes_up_later_is_found() {
    let mut net = Net::empty(7);
    net.start(&[addr(1)]);
    net.run_for(secs(40));
    net.start(&[]);
    let took = net.run_until(secs(30), |net| net.all_see(2));
    assert!(took.is_some_and(|took| took <= secs(16)), "{took:?}");
}
