//! What it takes to convict, and what does not.

use std::net::SocketAddr;

use super::super::accusers::Accusers;
use super::super::message::{Body, Datagram, DatagramWriter, Envelope, Request, cluster_of, encode_request};
use super::super::record::{Standing, Update};
use super::super::{ClusterEvent, Incarnation, NodeState, Output};
use super::net::{Logged, Net, id, ms, secs};
use super::refutation::{accused_by, says};

/// Five nodes that take a minute of silence for nothing, and the last of them silent: whatever is held of it comes
/// from what the test says.
fn patient_with_a_silent_node() -> Net {
    let mut net = Net::empty(1);
    net.patience = secs(60);
    net.settle(5);
    net.darken(4);
    net
}

#[test]
fn one_accuser_is_not_enough_however_long_and_two_are() {
    let mut net = patient_with_a_silent_node();
    let accusation = says(&net, 1, 4, accused_by(1, false));
    assert!(net.inject(0, &accusation));
    net.run_for(secs(30));
    assert!(net.running().all(|index| net.state(index, 4) == Some(NodeState::Suspect)));
    let second = says(&net, 2, 4, accused_by(2, false));
    assert!(net.inject(0, &second));
    assert!(net.run_until(secs(2), |net| net.everywhere(4, NodeState::Failed)).is_some());
}

#[test]
fn two_who_know_the_process_gone_convict_at_once_and_one_does_not() {
    let mut net = patient_with_a_silent_node();
    let first = says(&net, 1, 4, accused_by(1, true));
    assert!(net.inject(0, &first));
    net.run_for(ms(500));
    assert_eq!(net.state(0, 4), Some(NodeState::Suspect));
    let second = says(&net, 2, 4, accused_by(2, true));
    assert!(net.inject(0, &second));
    assert_eq!(net.state(0, 4), Some(NodeState::Failed));
}

#[test]
fn a_firewall_that_resets_every_stream_kills_nobody() {
    let mut net = Net::settled(5, 2);
    net.streams_refused = true;
    net.loss = 0.1;
    net.run_for(secs(300));
    assert!(net.datagrams_lost > 100, "the fault happened");
    assert_eq!(net.failures().len(), 0);
    // A refusal that was refuted counts no more: one accusation for each ordered pair at most, seen by each.
    let spoken: u64 = net.hosts.iter().map(|host| host.membership.local_node().incarnation.0).sum();
    // Of what they said, this was no refutation.
    let well = |logged: &&Logged| match &logged.event {
        ClusterEvent::TagsChanged(node) => node.id == id(logged.observer) && !node.degraded,
        _ => false,
    };
    let refuted = spoken - net.log.iter().filter(well).count() as u64;
    assert!((1..=20).contains(&refuted), "{refuted} refutations");
}

#[test]
fn an_old_verdict_that_a_sync_brings_is_held_back_until_its_subject_has_spoken() {
    let mut net = Net::settled(5, 3);
    push_of_node_two(&mut net, NodeState::Failed, false);
    assert_eq!(net.state(0, 2), Some(NodeState::Suspect));
    net.run_for(secs(10));
    assert!(net.everywhere(2, NodeState::Alive));
    assert_eq!(net.failures().len(), 0);
}

/// Node 1 brings this of node 2 to node 0 over a stream.
fn push_of_node_two(net: &mut Net, state: NodeState, gone: bool) {
    let mut record = net.hosts[2].membership.local_record();
    let mut accusers = Accusers::one(id(1), gone);
    accusers.union(&Accusers::one(id(3), gone));
    record.standing = Standing { incarnation: Incarnation(0), state, accusers, degraded: false };
    let push = Request::Push { updates: vec![Update::Full(record.into())] };
    let bytes = encode_request(&envelope(net, 1), &push);
    net.input(0, |membership, now| membership.handle_stream_request(now, &bytes)).unwrap();
}

#[test]
fn a_verdict_that_is_held_back_reaches_its_subject_at_once() {
    let mut net = Net::settled(5, 8);
    push_of_node_two(&mut net, NodeState::Failed, false);
    assert_eq!(net.state(0, 2), Some(NodeState::Suspect));
    let took = net.run_until(secs(5), |net| net.state(0, 2) == Some(NodeState::Alive));
    assert!(took.is_some_and(|took| took <= ms(20)), "{took:?}");
}

#[test]
fn a_sync_does_not_convict_at_once_even_with_two_who_know_the_process_gone() {
    for state in [NodeState::Suspect, NodeState::Failed] {
        let mut net = Net::settled(5, 9);
        push_of_node_two(&mut net, state, true);
        assert_eq!(net.state(0, 2), Some(NodeState::Suspect));
        net.run_for(secs(10));
        assert!(net.everywhere(2, NodeState::Alive));
        assert_eq!(net.failures().len(), 0);
    }
}

#[test]
fn a_suspicion_that_ran_out_during_a_stall_is_not_judged_before_its_refutation_can_be_heard() {
    let mut net = Net::settled(5, 4);
    for accuser in [1, 3] {
        let accusation = says(&net, accuser, 2, accused_by(accuser, false));
        net.inject(0, &accusation);
    }
    net.pause(0);
    net.run_for(secs(30));
    net.lose_waiting(0);
    net.resume(0);
    net.run_for(secs(10));
    let wrong = |event: &&ClusterEvent| matches!(event, ClusterEvent::NodeFailed(_));
    assert_eq!(net.events(0, secs(0)).iter().filter(|event| wrong(event)).count(), 0);
    assert_eq!(net.state(0, 2), Some(NodeState::Alive));
}

#[test]
fn every_member_is_looked_at_by_somebody_outside_its_rings() {
    let mut net = Net::settled(16, 5);
    net.run_for(secs(10));
    let quiet_since = net.now();
    net.run_for(secs(25));
    for observer in 0..16 {
        let membership = &net.hosts[observer].membership;
        let heard = |subject: usize| {
            membership.table.get(id(subject)).is_some_and(|m| m.local().heard > Some(quiet_since))
        };
        assert!((0..16).filter(|&subject| subject != observer).all(heard), "by node {observer}");
    }
}

fn envelope(net: &Net, from: usize) -> Envelope {
    let node = net.hosts[from].membership.local_node();
    Envelope {
        cluster: cluster_of("test"),
        from: node.id,
        generation: node.generation,
        incarnation: node.incarnation,
        root: 0,
        health: 0,
        side: 0,
        minority: false,
        degraded: false,
    }
}

/// What node 0 sends when this arrives from an address that is not its sender's.
fn replies(net: &mut Net, bytes: &[u8]) -> Vec<Vec<u8>> {
    let (now, strange) = (net.now(), SocketAddr::from(([192, 0, 2, 9], 9)));
    let membership = &mut net.hosts[0].membership;
    membership.handle_datagram(now, strange, bytes).unwrap();
    let outputs = std::iter::from_fn(|| membership.poll_output());
    let to_stranger = |output| match output {
        Output::Send { to, bytes } if to == strange => Some(bytes),
        _ => None,
    };
    outputs.filter_map(to_stranger).collect()
}

#[test]
fn a_forged_source_is_sent_no_more_than_it_sent() {
    let mut net = Net::settled(5, 6);
    // There is plenty of news that could ride on an answer.
    net.input(0, |membership, now| membership.set_tag(now, "blob", &"x".repeat(500))).unwrap();
    let you_are = Body::YouAre {
        state: NodeState::Alive,
        generation: net.hosts[0].membership.local_node().generation,
        incarnation: Incarnation(0),
    };
    let bodies = [Body::Ping { nonce: 1 }, Body::PingReq { nonce: 2, target: id(77) }, Body::Gossip, you_are];
    for body in bodies {
        let bytes = DatagramWriter::new(&envelope(&net, 1), body).finish();
        let replied: usize = replies(&mut net, &bytes).iter().map(Vec::len).sum();
        assert!(replied <= bytes.len(), "{replied} bytes for {} of {body:?}", bytes.len());
    }
}

#[test]
fn an_answer_counts_only_from_the_one_who_was_asked() {
    let mut net = Net::settled(3, 7);
    let (asker, strange) = (envelope(&net, 1), net.hosts[1].addr);
    let ask = DatagramWriter::new(&asker, Body::PingReq { nonce: 9, target: id(2) }).finish();
    let now = net.now();
    let helper = &mut net.hosts[0].membership;
    helper.handle_datagram(now, strange, &ask).unwrap();
    let target = helper.table.get(id(2)).unwrap().record.profile.addr;
    let sent: Vec<_> = std::iter::from_fn(|| helper.poll_output()).collect();
    let nonce = sent.iter().find_map(|output| match output {
        Output::Send { to, bytes } if *to == target => {
            match Datagram::decode(cluster_of("test"), bytes, &|_, _| None).ok()?.body {
                Body::Ping { nonce } => Some(nonce),
                _ => None,
            }
        }
        _ => None,
    });
    let forged =
        DatagramWriter::new(&asker, Body::Ack { nonce: nonce.expect("the target is pinged") }).finish();
    helper.handle_datagram(now, strange, &forged).unwrap();
    assert_eq!(std::iter::from_fn(|| helper.poll_output()).count(), 0, "node 1 cannot answer for node 2");
}
