//! Processes end and come back: as themselves, elsewhere, or as somebody else.

use super::super::{ClusterEvent, NodeState};
use super::net::{Net, addr, id, secs};

fn converges(net: &mut Net, nodes: usize) {
    let took = net.run_until(secs(10), |net| {
        net.all_see(nodes)
            && net.running().all(|observer| {
                net.running().all(|subject| {
                    let held = net.hosts[observer].view.get(&id(subject));
                    held.is_some_and(|node| {
                        node.addr == net.hosts[subject].addr
                            && node.generation == net.hosts[subject].membership.local_node().generation
                    })
                })
            })
    });
    println!("converged after {took:?}");
    assert!(took.is_some(), "within ten seconds");
    net.assert_views_fold();
}

#[test]
fn the_same_id_at_a_new_address_replaces_the_old_process() {
    let mut net = Net::settled(5, 1);
    net.exit(2);
    net.restart(2, addr(50), &[addr(0)]);
    converges(&mut net, 5);
    let ends =
        net.events(0, secs(0)).into_iter().filter(|event| matches!(event, ClusterEvent::NodeFailed(_)));
    assert_eq!(ends.count(), 1, "the old process failed, once");
}

#[test]
fn the_same_id_at_the_same_address_is_a_new_generation() {
    let mut net = Net::settled(5, 2);
    net.exit(2);
    net.run_for(secs(4));
    assert!(net.everywhere(2, NodeState::Failed));
    net.restart(2, addr(2), &[addr(0), addr(1)]);
    converges(&mut net, 5);
}

#[test]
fn two_nodes_that_swap_addresses_are_told_apart() {
    let mut net = Net::settled(6, 3);
    net.exit(2);
    net.exit(3);
    net.restart(2, addr(60), &[addr(0)]);
    net.restart(3, addr(2), &[addr(0)]);
    net.restart(2, addr(3), &[addr(0)]);
    converges(&mut net, 6);
}

#[test]
fn a_new_id_at_an_old_address_is_a_new_node() {
    let mut net = Net::settled(4, 4);
    net.exit(2);
    let newcomer = net.start(&[addr(0)]);
    // It takes the address of the one that ended.
    net.restart(newcomer, addr(2), &[addr(0)]);
    let took = net.run_until(secs(10), |net| net.all_see(4) && net.everywhere(2, NodeState::Failed));
    assert!(took.is_some(), "the old id is failed and the new one known");
    net.assert_views_fold();
}

#[test]
fn all_nodes_restarting_at_once_find_each_other_again() {
    let mut net = Net::settled(6, 5);
    (0..6).for_each(|index| net.exit(index));
    net.run_for(secs(1));
    for index in 0..6 {
        net.restart(index, addr(index), &[addr(0), addr(1)]);
    }
    converges(&mut net, 6);
}

#[test]
fn a_restart_whose_clock_went_back_still_wins() {
    let mut net = Net::settled(4, 6);
    // Node 2 has been through many generations that its restart knows nothing of.
    for _ in 0..3 {
        net.exit(2);
        net.restart(2, addr(2), &[addr(0)]);
        net.run_for(secs(3));
    }
    net.exit(2);
    net.run_for(secs(4));
    net.forget_starts(2);
    net.restart(2, addr(2), &[addr(0)]);
    converges(&mut net, 4);
}
