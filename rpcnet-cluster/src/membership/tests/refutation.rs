//! The accused answer for themselves, and only they.

use super::super::accusers::Accusers;
use super::super::limits::GENERATION_MAX;
use super::super::message::{Body, DatagramWriter, Envelope, cluster_of, update_bytes};
use super::super::record::{Record, Standing, Update};
use super::super::{ClusterEvent, Generation, Incarnation, NodeState};
use super::net::{Net, id, ms, secs};

fn sender(net: &Net, from: usize) -> Envelope {
    let sender = net.hosts[from].membership.local_node();
    Envelope {
        cluster: cluster_of("test"),
        from: sender.id,
        generation: sender.generation,
        incarnation: sender.incarnation,
        root: 0,
        health: 0,
        side: 0,
        minority: false,
        degraded: false,
    }
}

/// A datagram in which node `from` says something of `subject`.
pub(super) fn says(net: &Net, from: usize, subject: usize, standing: Standing) -> Vec<u8> {
    let envelope = sender(net, from);
    let generation = net.hosts[subject].membership.local_node().generation;
    let mut writer = DatagramWriter::new(&envelope, Body::Gossip);
    assert!(writer.push(&update_bytes(&Update::Brief { id: id(subject), generation, standing })));
    writer.finish()
}

/// An accusation of the first incarnation by one node, with or without evidence that the process is gone.
pub(super) fn accused_by(accuser: usize, gone: bool) -> Standing {
    let accusers = Accusers::one(id(accuser), gone);
    Standing { incarnation: Incarnation(0), state: NodeState::Suspect, accusers, degraded: false }
}

fn suspect(accuser: usize) -> Standing {
    accused_by(accuser, false)
}

#[test]
fn a_refuted_suspicion_never_kills_the_member() {
    let mut net = Net::settled(5, 1);
    let bytes = says(&net, 1, 2, suspect(1));
    let before = net.elapsed();
    assert!(net.inject(0, &bytes));
    assert_eq!(net.state(0, 2), Some(NodeState::Suspect));
    let took = net.run_until(secs(3), |net| net.everywhere(2, NodeState::Alive));
    println!("refuted after {took:?}");
    assert!(took.is_some_and(|took| took <= ms(1_200)), "{took:?}");
    net.run_for(secs(30));
    assert_eq!(net.failures().len(), 0);
    assert_eq!(net.hosts[2].membership.local_node().incarnation, Incarnation(1));
    let kinds: Vec<_> = net.events(0, before).into_iter().map(std::mem::discriminant).collect();
    let node = net.hosts[2].membership.local_node();
    let expected = [
        std::mem::discriminant(&ClusterEvent::NodeSuspected { node: node.clone(), phi: 0.0 }),
        std::mem::discriminant(&ClusterEvent::NodeRecovered(node)),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_node_declared_failed_comes_back_by_its_own_word() {
    let mut net = Net::settled(5, 2);
    let mut accusers = Accusers::one(id(1), false);
    accusers.union(&Accusers::one(id(3), false));
    let standing =
        Standing { incarnation: Incarnation(0), state: NodeState::Failed, accusers, degraded: false };
    let bytes = says(&net, 1, 2, standing);
    assert!(net.inject(0, &bytes));
    assert_eq!(net.state(0, 2), Some(NodeState::Failed));
    let took = net.run_until(secs(5), |net| net.everywhere(2, NodeState::Alive) && net.all_see(5));
    assert!(took.is_some_and(|took| took <= secs(2)), "{took:?}");
    net.assert_views_fold();
}

#[test]
fn one_accuser_kills_nobody() {
    let mut net = Net::settled(5, 3);
    let standing = Standing { state: NodeState::Failed, ..suspect(1) };
    let bytes = says(&net, 1, 2, standing);
    net.inject(0, &bytes);
    assert_eq!(net.state(0, 2), Some(NodeState::Suspect), "one sick node's verdict is a suspicion");
    net.run_for(secs(40));
    assert_eq!(net.failures().len(), 0);
}

#[test]
fn a_node_that_meets_a_version_it_never_wrote_takes_the_next_generation() {
    let mut net = Net::settled(3, 4);
    let before = net.hosts[2].membership.local_node().generation;
    let standing = Standing::alive(Incarnation(9));
    let bytes = says(&net, 1, 2, standing);
    net.inject(2, &bytes);
    assert_eq!(net.hosts[2].membership.local_node().generation, Generation(before.0 + 1));
    assert!(
        net.run_until(secs(5), |net| {
            net.running()
                .all(|index| net.hosts[index].view.get(&id(2)).is_some_and(|n| n.generation > before))
        })
        .is_some()
    );
    net.assert_views_fold();
}

#[test]
fn a_flood_of_accusations_is_answered_once_a_second() {
    let mut net = Net::settled(4, 5);
    for round in 0..200 {
        let mut standing = suspect(1);
        standing.incarnation = net.hosts[2].membership.local_node().incarnation;
        let bytes = says(&net, 1, 2, standing);
        net.inject(2, &bytes);
        net.run_for(ms(50));
        assert!(net.state(2, 2) == Some(NodeState::Alive), "round {round}");
    }
    let refuted = net.hosts[2].membership.local_node().incarnation.0;
    assert!((9..=11).contains(&refuted), "{refuted} refutations in ten seconds");
}

/// Node 1 tells node 2 over a datagram what it holds of it.
fn tell_of_itself(net: &mut Net, change: impl FnOnce(&mut Record)) {
    let mut record = net.hosts[2].membership.local_record();
    change(&mut record);
    let mut writer = DatagramWriter::new(&sender(net, 1), Body::Gossip);
    assert!(writer.push(&update_bytes(&Update::Full(record.into()))));
    let bytes = writer.finish();
    net.inject(2, &bytes);
}

#[test]
fn strange_tags_of_its_own_are_answered_once_a_second_and_not_while_leaving() {
    let mut net = Net::settled(3, 6);
    let before = net.hosts[2].membership.local_node().generation.0;
    for _ in 0..100 {
        tell_of_itself(&mut net, |record| record.tags.version += 1);
        net.run_for(ms(50));
    }
    let after = net.hosts[2].membership.local_node().generation.0;
    assert!((4..=6).contains(&(after - before)), "{} generations in five seconds", after - before);
    net.run_for(secs(2));
    net.input(2, |membership, now| membership.leave(now));
    let leaving = net.hosts[2].membership.local_node().generation;
    tell_of_itself(&mut net, |record| record.tags.version += 1);
    assert_eq!(net.hosts[2].membership.local_node().generation, leaving);
    assert_eq!(net.state(2, 2), Some(NodeState::Left));
}

#[test]
fn the_last_generation_claimed_of_itself_is_not_answered() {
    let mut net = Net::settled(3, 7);
    let before = net.hosts[2].membership.local_node();
    tell_of_itself(&mut net, |record| record.generation = Generation(GENERATION_MAX));
    assert_eq!(net.hosts[2].membership.local_node(), before);
}

/// rpcnet 0.1.0 had the accuser raise it, and so brought back whoever it wanted to bury.
#[test]
fn nobody_speaks_for_the_accused_however_long_it_is_silent() {
    let mut net = Net::settled(5, 8);
    net.darken(2);
    let bytes = says(&net, 1, 2, suspect(1));
    assert!(net.inject(0, &bytes));
    net.run_for(secs(60));
    assert!(net.running().all(|index| net.state(index, 2) == Some(NodeState::Failed)));
    let raised = |event: &ClusterEvent| match event {
        ClusterEvent::NodeSuspected { node, .. }
        | ClusterEvent::NodeFailed(node)
        | ClusterEvent::NodeRecovered(node) => node.id == id(2) && node.incarnation > Incarnation(0),
        _ => false,
    };
    assert!(!net.log.iter().any(|logged| raised(&logged.event)));
}

/// Each tells the other that it is dead, and both answer (foca, issue 25).
#[test]
fn two_who_hold_each_other_to_be_dead_do_not_answer_each_other_for_ever() {
    let mut net = Net::settled(2, 9);
    net.cut(0, 1);
    net.cut(1, 0);
    net.run_for(secs(30));
    assert_eq!((net.state(0, 1), net.state(1, 0)), (Some(NodeState::Failed), Some(NodeState::Failed)));
    let sent = |net: &Net| net.hosts.iter().map(|host| host.sent_bytes).sum::<usize>();
    net.mend();
    let before = sent(&net);
    assert!(net.run_until(secs(20), |net| net.all_see(2)).is_some());
    net.run_for(secs(5));
    // At a round trip of a millisecond a storm of these five seconds is close to a megabyte.
    assert!(sent(&net) - before < 40_000, "{} bytes", sent(&net) - before);
}
