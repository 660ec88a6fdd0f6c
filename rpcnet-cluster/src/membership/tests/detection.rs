//! How soon the dead are found, and that the living are not.

use std::time::Duration;

use super::super::NodeState;
use super::net::{Net, ms, secs};

/// How long until every other node knows that a host fell silent.
fn silent_crash(nodes: usize, seed: u64, loss: f64) -> Duration {
    let mut net = Net::settled(nodes, seed);
    net.loss = loss;
    net.run_for(secs(2) + ms(seed * 137 % 1_000));
    let victim = nodes - 1;
    net.darken(victim);
    let took = net.run_until(secs(30), |net| net.everywhere(victim, NodeState::Failed));
    assert_eq!(net.failures().len(), nodes - 1, "only the victim fails, once everywhere (seed {seed})");
    net.assert_views_fold();
    took.expect("a silent host is failed")
}

fn process_exit(nodes: usize, seed: u64, loss: f64) -> Duration {
    let mut net = Net::settled(nodes, seed);
    net.loss = loss;
    net.run_for(secs(2) + ms(seed * 137 % 1_000));
    net.exit(nodes - 1);
    let took = net.run_until(secs(30), |net| net.everywhere(nodes - 1, NodeState::Failed));
    assert_eq!(net.failures().len(), nodes - 1, "only the victim fails, once everywhere (seed {seed})");
    took.expect("a process that ended is failed")
}

fn report(what: &str, nodes: usize, loss: f64, mut took: Vec<Duration>) -> (Duration, Duration) {
    took.sort();
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    let (first, runs) = (took[0], took.len());
    println!("{what} n={nodes} loss={loss} runs={runs}: {first:?} / median {median:?} / worst {worst:?}");
    (first, worst)
}

#[test]
fn a_silent_host_is_failed_everywhere_within_four_to_eight_seconds() {
    for (nodes, seeds) in [(3, 8), (4, 8), (10, 3), (100, 1)] {
        for loss in [0.0, 0.05] {
            let took = (0..seeds).map(|seed| silent_crash(nodes, seed, loss)).collect();
            let (first, worst) = report("silent", nodes, loss, took);
            assert!(
                first >= secs(4) && worst <= secs(8),
                "{nodes} nodes, loss {loss}: {first:?} to {worst:?}"
            );
        }
    }
}

#[test]
fn a_process_that_ended_is_failed_within_two_seconds() {
    for (nodes, seeds) in [(2, 10), (3, 10), (4, 10), (10, 4), (60, 1)] {
        let took = (0..seeds).map(|seed| process_exit(nodes, seed, 0.0)).collect();
        let (_, worst) = report("exit", nodes, 0.0, took);
        assert!(worst <= secs(2), "{nodes} nodes: {worst:?}");
    }
}

#[test]
fn a_node_that_just_joined_is_watched_like_any_other() {
    for seed in 0..10 {
        let mut net = Net::settled(5, seed);
        let late = net.start(&[super::net::addr(0)]);
        net.run_for(secs(1));
        net.darken(late);
        let took = net.run_until(secs(10), |net| net.everywhere(late, NodeState::Failed));
        assert!(took.is_some_and(|took| took <= secs(8)), "{took:?}");
    }
}

#[test]
fn nobody_fails_while_a_tenth_of_all_packets_is_lost() {
    let mut net = Net::settled(12, 5);
    net.loss = 0.1;
    net.run_for(secs(120));
    assert!(net.datagrams_lost > 1_000, "the fault happened");
    assert_eq!(net.failures().len(), 0);
    assert!(net.all_see(12));
}

#[test]
fn a_node_reached_by_streams_only_stays_a_member() {
    let mut net = Net::settled(4, 6);
    net.no_datagrams = true;
    net.run_for(secs(60));
    assert_eq!(net.failures().len(), 0);
    assert!(net.datagrams_lost > 100, "the fault happened");
}

#[test]
fn a_broken_link_between_two_nodes_accuses_nobody_and_is_shown() {
    let mut net = Net::settled(6, 7);
    let before = net.elapsed();
    net.cut(1, 2);
    net.cut(2, 1);
    net.run_for(secs(60));
    assert_eq!(net.failures().len(), 0);
    let suspected = net.events(0, before);
    assert!(suspected.is_empty(), "{suspected:?}");
    let now = net.now();
    let down = net.hosts[1].membership.members(now).find(|view| view.node.id == super::net::id(2));
    assert!(down.is_some_and(|view| view.link_down && view.state == NodeState::Alive));
}

#[test]
fn a_node_that_hears_nothing_but_still_talks_is_failed() {
    for nodes in [5, 10] {
        let mut net = Net::settled(nodes, 8);
        (1..nodes).for_each(|index| net.cut(index, 0));
        let others_know = |net: &Net| (1..nodes).all(|index| net.state(index, 0) == Some(NodeState::Failed));
        let took = net.run_until(secs(20), others_know);
        println!("deaf n={nodes}: {took:?}");
        assert!(took.is_some_and(|took| took <= ms(6_500)), "{took:?}");
        let wrong = net.failures().iter().filter(|logged| logged.observer == 0).count();
        assert_eq!(wrong, 0, "the deaf node accuses nobody: it knows that it is cut off");
    }
}

#[test]
fn phi_and_its_deadline_rise_and_fall_together() {
    let mut net = Net::settled(3, 9);
    net.darken(2);
    net.run_for(secs(2));
    let later = net.now();
    let view = |net: &Net, now| {
        let mut views = net.hosts[0].membership.members(now);
        views.find(|view| view.node.id == super::net::id(2)).expect("held")
    };
    let silent = view(&net, later);
    assert!(silent.deadline.is_some_and(|deadline| deadline < secs(2)), "{silent:?}");
    assert!(view(&net, later + ms(100)).phi > silent.phi, "{silent:?}");
}
