//! A node that did not run judges nobody, and is judged fairly.

use super::super::NodeState;
use super::net::{Net, id, ms, secs};

#[test]
fn a_pause_of_any_length_fails_no_other_node_in_any_view() {
    for (pause, seed) in [(ms(500), 1), (ms(1_500), 2), (secs(4), 3), (secs(30), 4), (secs(90), 5)] {
        let mut net = Net::settled(6, seed);
        net.pause(3);
        net.run_for(pause);
        net.resume(3);
        net.run_for(secs(30));
        let wrong: Vec<_> = net.failures().into_iter().filter(|logged| !concerns(&logged.event, 3)).collect();
        assert!(wrong.is_empty(), "{wrong:?} after a pause of {pause:?}");
        assert!(net.all_see(6), "the paused node is back after {pause:?}");
        net.assert_views_fold();
    }
}

fn concerns(event: &super::super::ClusterEvent, subject: usize) -> bool {
    matches!(event, super::super::ClusterEvent::NodeFailed(node) if node.id == id(subject))
}

#[test]
fn a_short_pause_accuses_nobody_at_all() {
    for seed in 0..10 {
        let mut net = Net::settled(6, seed);
        let before = net.elapsed();
        net.pause(2);
        net.run_for(ms(1_400));
        net.resume(2);
        net.run_for(secs(5));
        for observer in 0..6 {
            assert_eq!(net.events(observer, before).len(), 0, "seed {seed}");
        }
    }
}

#[test]
fn a_node_cut_off_for_a_while_accuses_nobody_and_comes_back() {
    let mut net = Net::settled(20, 6);
    (1..20).for_each(|index| {
        net.cut(index, 0);
        net.cut(0, index);
    });
    net.run_for(secs(40));
    assert!(net.hosts[0].membership.is_isolated());
    assert_eq!(net.hosts[0].view.len(), 20, "it holds its view");
    assert!((1..20).all(|index| net.state(index, 0) == Some(NodeState::Failed)));
    net.mend();
    let took = net.run_until(secs(20), |net| net.all_see(20));
    println!("cut off node is back: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(5)), "{took:?}");
    net.assert_views_fold();
}

#[test]
fn stalls_of_several_nodes_at_random_fail_no_healthy_node() {
    let mut net = Net::settled(12, 7);
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..12 {
        let stalled = [0, 5, 9][rng.usize(..3)];
        net.pause(stalled);
        net.run_for(ms(rng.u64(500..8_000)));
        net.resume(stalled);
        net.run_for(ms(rng.u64(0..3_000)));
    }
    let healthy = |event| ![0, 5, 9].into_iter().any(|stalled| concerns(event, stalled));
    let wrong = net.failures().into_iter().filter(|logged| healthy(&logged.event)).count();
    assert_eq!(wrong, 0);
    net.run_for(secs(20));
    assert!(net.all_see(12));
}
