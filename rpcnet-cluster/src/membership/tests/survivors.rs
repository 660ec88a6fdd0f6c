//! The last of a cluster, and clusters that forgot each other: who is left still comes to a judgement, and together.

use super::super::NodeState;
use super::super::limits::FAILED_REMEMBERED;
use super::net::{Net, addr, ms, secs};

/// Two nodes that know each other, and a further seed at which nobody listens.
fn two_with_a_dead_seed(seed: u64) -> Net {
    let mut net = Net::empty(seed);
    net.start(&[addr(99)]);
    net.start(&[addr(0), addr(99)]);
    assert!(net.run_until(secs(5), |net| net.all_see(2)).is_some());
    net.run_for(secs(3) + ms(100 * seed));
    net
}

#[test]
fn a_seed_that_refuses_does_not_keep_the_last_survivor_from_judging() {
    for seed in 0..5 {
        let mut net = two_with_a_dead_seed(seed);
        net.darken(1);
        let took = net.run_until(secs(40), |net| net.state(0, 1) == Some(NodeState::Failed));
        println!("silent n=2 with a dead seed: {took:?}");
        assert!(took.is_some_and(|took| took <= secs(19)), "{took:?}");
    }
}

#[test]
fn halves_that_have_forgotten_each_other_come_together_again() {
    for nodes in [2, 4, 6] {
        let mut net = Net::settled(nodes, nodes as u64);
        let half = nodes / 2;
        let pairs = (0..half).flat_map(|a| (half..nodes).map(move |b| (a, b)));
        let pairs: Vec<_> = pairs.collect();
        pairs.iter().for_each(|&(a, b)| {
            net.cut(a, b);
            net.cut(b, a);
        });
        assert!(net.run_until(secs(60), |net| net.all_see(half)).is_some());
        let tomorrow = net.now() + FAILED_REMEMBERED;
        net.hosts.iter_mut().for_each(|host| host.membership.table.sweep(tomorrow));
        net.mend();
        // Until a seed is asked again a quarter of a minute and a timeout may pass.
        let took = net.run_until(secs(30), |net| net.all_see(nodes));
        println!("forgotten halves of {nodes}: {took:?}");
        assert!(took.is_some(), "{nodes} nodes are one cluster again");
        net.assert_views_fold();
    }
}

#[test]
fn a_seed_replaced_at_once_by_another_node_is_found_by_the_one_that_was_left() {
    for seed in 0..5 {
        let mut net = Net::settled(2, seed);
        net.exit(0);
        let newcomer = net.start(&[]);
        net.restart(newcomer, addr(0), &[]);
        let took = net.run_until(secs(30), |net| net.all_see(2));
        println!("replaced seed: {took:?}");
        assert!(took.is_some_and(|took| took <= secs(10)), "{took:?}");
        assert_eq!(net.state(1, 0), Some(NodeState::Failed));
        net.assert_views_fold();
    }
}
