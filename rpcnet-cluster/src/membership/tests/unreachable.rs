//! What a host's word that nobody listens on a port does, and what a forged one does not.

use std::time::Duration;

use super::super::{NodeState, Output};
use super::net::{Net, ms, secs};

/// How long until everybody holds the last of `nodes` to be failed after its process ended.
fn exit_to_failed(nodes: usize, seed: u64, icmp: bool) -> Duration {
    let mut net = Net::settled(nodes, seed);
    net.icmp = icmp;
    net.exit(nodes - 1);
    net.run_until(secs(10), |net| net.everywhere(nodes - 1, NodeState::Failed)).expect("failed")
}

#[test]
fn a_process_that_ended_is_failed_a_half_second_sooner_where_its_host_says_so() {
    for nodes in [3, 5, 12] {
        let measure = |icmp| {
            let mut took: Vec<_> = (0..20).map(|seed| exit_to_failed(nodes, seed, icmp)).collect();
            took.sort();
            (took[10], took[19])
        };
        let ((with, worst), (without, _)) = (measure(true), measure(false));
        println!("{nodes} nodes: {with:?}, worst {worst:?}; without {without:?}");
        assert!(with <= ms(800) && worst <= ms(1_000), "{nodes} nodes: {with:?}, worst {worst:?}");
        assert!(with + ms(200) <= without, "{nodes} nodes: {with:?} and {without:?}");
    }
}

#[test]
fn a_dead_port_answers_few_datagrams_and_not_each_answer_with_another() {
    let mut net = Net::settled(5, 1);
    net.icmp = true;
    net.exit(4);
    net.run_for(secs(1));
    let first = net.unreachable;
    assert!((1..=60).contains(&first), "{first} answers in the first second");
    net.run_for(secs(60));
    // Heartbeats to the failed go on, so that its return is noticed.
    let rest = net.unreachable - first;
    assert!(rest <= 5 * 61, "{rest} answers in a minute");
}

#[test]
fn a_forged_word_costs_one_stream_and_harms_nobody() {
    let mut net = Net::settled(5, 2);
    let (addrs, now): (Vec<_>, _) = (net.hosts.iter().map(|host| host.addr).collect(), net.now());
    let mut streams = 0;
    for _ in 0..1_000 {
        for &addr in &addrs {
            let membership = &mut net.hosts[0].membership;
            membership.handle_unreachable(now, addr);
            // Lost on the way, which is the worst that can happen to it.
            let outputs = std::iter::from_fn(|| membership.poll_output());
            streams += outputs.filter(|output| matches!(output, Output::Stream { .. })).count();
        }
    }
    assert_eq!(streams, 4, "one for each of the others");
    net.run_for(secs(60));
    assert_eq!(net.failures().len(), 0);
    assert!((0..5).all(|index| net.everywhere(index, NodeState::Alive)));
}

#[test]
fn a_member_that_is_well_answers_the_stream_and_is_suspected_by_nobody() {
    let mut net = Net::settled(5, 3);
    for round in 0..20 {
        for (observer, addr) in (0..5).zip(net.hosts.iter().map(|host| host.addr).collect::<Vec<_>>()) {
            let observer = (observer + 1 + round % 4) % 5;
            net.input(observer, |membership, now| membership.handle_unreachable(now, addr));
        }
        net.run_for(ms(130));
    }
    net.run_for(secs(5));
    let refuted: u64 = net.hosts.iter().map(|host| host.membership.local_node().incarnation.0).sum();
    assert_eq!((refuted, net.failures().len()), (0, 0), "no accusation, so no refutation");
}

#[test]
fn an_address_of_nobody_means_nothing() {
    let mut net = Net::settled(3, 4);
    let now = net.now();
    let membership = &mut net.hosts[0].membership;
    membership.handle_unreachable(now, "192.0.2.1:9".parse().unwrap());
    assert_eq!(std::iter::from_fn(|| membership.poll_output()).count(), 0);
}
