//! One node's verdicts over what membership tells it, in virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use uuid::Uuid;

use super::{Noted, Partition, QuorumRule, Sight, Verdict, Word};
use crate::membership::{ClusterEvent, NodeId, NodeState};

/// Node 0 of a settled cluster, observing all others.
struct Node {
    now: Instant,
    partition: Partition,
    states: Vec<NodeState>,
    /// Others that say nothing, whatever is held of them.
    silent: Vec<usize>,
    /// It was told of a cluster, and has not met it.
    astray: bool,
    events: Vec<ClusterEvent>,
}

fn id(node: usize) -> NodeId {
    NodeId::new(Uuid::from_u128(node as u128))
}

fn hash(node: usize) -> u16 {
    1 << node
}

impl Node {
    fn of(nodes: usize) -> Self {
        let mut node = Self::fresh(nodes);
        node.run(10);
        assert!(node.partition.quorum().held);
        node
    }

    /// Has just begun, and met all others.
    fn fresh(nodes: usize) -> Self {
        let partition = Partition::new((QuorumRule::Majority, 0.1, false), id(0), hash(0));
        let states = vec![NodeState::Alive; nodes];
        let (now, silent, events) = (Instant::now(), Vec::new(), Vec::new());
        let mut node = Self { now, partition, states, silent, astray: false, events };
        (1..nodes).for_each(|other| node.note(other, None, NodeState::Alive, false));
        node
    }

    fn note(&mut self, other: usize, was: Option<NodeState>, is: NodeState, crashed: bool) {
        let addr = SocketAddr::from(([10, 0, 0, 1], other as u16));
        let noted = Noted { id: id(other), was, is, crashed, counts: true, addr };
        self.partition.note(self.now, &noted, hash(other));
        self.states[other] = is;
    }

    fn becomes(&mut self, others: &[usize], is: NodeState) {
        others.iter().for_each(|&other| self.note(other, Some(self.states[other]), is, false));
    }

    fn run(&mut self, secs: u64) {
        for _ in 0..secs * 2 {
            self.now += Duration::from_millis(500);
            let visible: Vec<_> =
                (0..self.states.len()).filter(|&node| self.states[node].is_visible()).collect();
            let observed: Vec<_> = visible.iter().skip(1).map(|&node| id(node)).collect();
            let silent: Vec<_> =
                self.silent.iter().map(|&node| id(node)).filter(|id| observed.contains(id)).collect();
            let side = self.partition.side().0;
            for &other in visible.iter().skip(1).filter(|other| !self.silent.contains(other)) {
                self.partition.heard(self.now, id(other), Word { side, root: 1, minority: false });
            }
            let there = || visible.iter().map(|&node| (id(node), true)).collect();
            let sight = Sight {
                me: id(0),
                cut_off: false,
                astray: self.astray,
                healthy: true,
                root: 1,
                observed: &observed,
                silent: &silent,
                visible: &there,
            };
            if self.partition.is_due(self.now, false, !silent.is_empty()) {
                self.partition.drive(self.now, &sight, &mut Rng::with_seed(1));
            }
            while let Some(verdict) = self.partition.poll() {
                if let Verdict::Event(event) = verdict {
                    self.events.push(event);
                }
            }
        }
    }

    fn told(&mut self) -> Vec<ClusterEvent> {
        std::mem::take(&mut self.events)
    }
}

fn ids(nodes: std::ops::Range<usize>) -> Vec<NodeId> {
    nodes.map(id).collect()
}

#[test]
fn a_side_that_falls_silent_together_is_a_split_and_its_return_heals_it() {
    let mut node = Node::of(10);
    node.becomes(&[7, 8, 9], NodeState::Failed);
    node.run(4);
    assert_eq!(node.told(), []);
    node.run(3);
    let (minority, majority) = (ids(7..10), ids(0..7));
    assert_eq!(node.told(), [ClusterEvent::PartitionDetected { minority, majority }]);
    node.becomes(&[7, 8, 9], NodeState::Alive);
    node.run(5);
    let told = node.told();
    assert!(
        matches!(&told[..], [ClusterEvent::ViewsMerged { .. }, ClusterEvent::PartitionHealed { .. }]),
        "{told:?}"
    );
}

#[test]
fn members_that_fail_one_after_the_other_are_no_split() {
    let mut node = Node::of(12);
    for other in [9, 10, 11] {
        node.becomes(&[other], NodeState::Failed);
        node.run(4);
    }
    node.run(30);
    assert_eq!(node.told(), []);
    assert_eq!(node.partition.quorum().total, 9);
}

#[test]
fn known_crashes_are_a_mass_failure() {
    let mut node = Node::of(10);
    (7..10).for_each(|other| node.note(other, Some(NodeState::Alive), NodeState::Failed, true));
    node.run(20);
    assert_eq!(node.told(), [ClusterEvent::MassFailure { nodes: ids(7..10) }]);
}

#[test]
fn no_side_is_named_while_others_are_silent_and_not_yet_failed() {
    let mut node = Node::of(10);
    node.silent = vec![5, 6, 7, 8, 9];
    node.becomes(&[5, 6], NodeState::Failed);
    node.run(30);
    assert_eq!(node.told(), []);
    assert_eq!(node.partition.quorum().total, 10);
}

#[test]
fn a_baseline_outlives_the_loss_of_its_quorum() {
    let mut node = Node::of(5);
    for other in [1, 2, 3] {
        node.becomes(&[other], NodeState::Failed);
        node.run(2);
    }
    node.run(60);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible), (false, 2));
}

#[test]
fn nodes_that_join_during_a_split_do_not_make_a_majority() {
    let mut node = Node::of(12);
    // Nodes 9 to 11 are new: they were gone before the baseline was formed.
    node.becomes(&[9, 10, 11], NodeState::Left);
    node.run(10);
    node.becomes(&[4, 5, 6, 7, 8], NodeState::Failed);
    node.run(6);
    (9..12).for_each(|other| node.note(other, None, NodeState::Alive, false));
    node.run(30);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible, quorum.total), (false, 4, 9));
}

/// Seconds before a split is told: a process that is started again on this side has to know by then.
#[test]
fn a_side_without_its_quorum_says_so_before_it_is_told_of_a_split() {
    let mut node = Node::of(5);
    assert!(!node.partition.side().1);
    node.becomes(&[2, 3, 4], NodeState::Failed);
    node.run(1);
    assert_eq!(node.told(), []);
    assert!(node.partition.side().1);
}

#[test]
fn members_that_are_accused_do_not_count_for_the_quorum() {
    let mut node = Node::of(5);
    node.becomes(&[2, 3, 4], NodeState::Suspect);
    node.run(2);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible, quorum.total), (false, 2, 5));
}

/// At a healing each side brings its accusations of the other, which are refuted at once.
#[test]
fn an_accusation_that_is_refuted_at_once_costs_no_quorum() {
    let mut node = Node::of(5);
    node.becomes(&[2, 3, 4], NodeState::Suspect);
    node.becomes(&[2, 3, 4], NodeState::Alive);
    node.run(2);
    assert_eq!(node.partition.quorum().epoch, 1);
}

/// Nobody may accuse for a while who was mistaken before.
#[test]
fn members_that_do_not_answer_do_not_count_though_nobody_accuses_them() {
    let mut node = Node::of(5);
    node.silent = vec![2, 3, 4];
    node.becomes(&[1], NodeState::Suspect);
    node.becomes(&[1], NodeState::Alive);
    node.run(1);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible), (false, 2));
    node.silent.clear();
    node.run(6);
    assert!(node.partition.quorum().held);
}

#[test]
fn no_split_is_told_while_those_who_fell_silent_with_the_lost_come_back() {
    let mut node = Node::of(10);
    node.becomes(&[5, 6, 7, 8, 9], NodeState::Suspect);
    node.run(2);
    node.becomes(&[5, 6], NodeState::Failed);
    node.run(10);
    assert_eq!(node.told(), []);
    // The link is back, and not everybody has said so yet.
    node.becomes(&[7, 8, 9], NodeState::Alive);
    node.run(4);
    node.becomes(&[5, 6], NodeState::Alive);
    node.run(10);
    assert_eq!(node.told(), []);
}

#[test]
fn who_was_told_of_a_cluster_and_has_not_met_it_is_no_cluster_of_one() {
    let mut node = Node::fresh(1);
    node.astray = true;
    node.run(60);
    assert!(!node.partition.quorum().held);
    node.astray = false;
    node.run(10);
    assert!(node.partition.quorum().held);
}

#[test]
fn whoever_finds_its_cluster_late_waits_for_the_rest_of_it_like_any_other() {
    let mut node = Node::fresh(1);
    node.astray = true;
    node.run(60);
    node.astray = false;
    node.states.push(NodeState::Left);
    node.note(1, None, NodeState::Alive, false);
    node.run(4);
    assert!(!node.partition.quorum().held, "the first one met is not all there are");
    node.run(6);
    assert!(node.partition.quorum().held);
}

#[test]
fn whoever_was_met_before_the_first_baseline_is_of_it() {
    let mut node = Node::fresh(3);
    node.run(2);
    node.becomes(&[1, 2], NodeState::Failed);
    node.run(60);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.total), (false, 3));
}

#[test]
fn a_majority_of_those_who_were_met_before_the_first_baseline_goes_on() {
    let mut node = Node::fresh(5);
    node.run(2);
    node.becomes(&[3, 4], NodeState::Failed);
    assert!(!node.partition.side().1, "who has no baseline knows of no minority");
    node.run(20);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible, quorum.total), (true, 3, 5));
}

#[test]
fn nobody_counts_those_who_are_silent_from_the_beginning() {
    let mut node = Node::fresh(5);
    node.silent = vec![1, 2, 3, 4];
    node.run(60);
    assert!(!node.partition.quorum().held);
}

/// Whoever ended while it was behind the cut does not keep the split open; but only who holds the quorum may say so.
#[test]
fn a_split_heals_without_those_who_ended_in_it() {
    let mut node = Node::of(10);
    node.becomes(&[6, 7, 8, 9], NodeState::Failed);
    node.run(10);
    node.told();
    node.becomes(&[6, 7], NodeState::Alive);
    node.run(25);
    assert!(node.told().iter().all(|event| matches!(event, ClusterEvent::PartitionChanged { .. })));
    node.run(10);
    let told = node.told();
    let [ClusterEvent::ViewsMerged { .. }, ClusterEvent::PartitionHealed { rejoined, missing, .. }] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((rejoined, missing), (&ids(6..8), &ids(8..10)));
    assert_eq!(node.partition.quorum().total, 8);
}

#[test]
fn a_minority_that_some_of_the_others_come_back_to_stays_one() {
    let mut node = Node::of(10);
    node.becomes(&[3, 4, 5, 6, 7, 8, 9], NodeState::Failed);
    node.run(10);
    node.becomes(&[3], NodeState::Alive);
    node.run(120);
    let quorum = node.partition.quorum();
    assert_eq!((quorum.held, quorum.visible, quorum.total), (false, 4, 10));
}

/// What is refuted at the end of a split is held against nobody; but a node that hears nothing finds itself alone.
#[test]
fn a_split_does_not_heal_among_those_who_have_lost_the_rest_meanwhile() {
    let mut node = Node::of(7);
    node.becomes(&[5, 6], NodeState::Failed);
    node.run(7);
    assert!(matches!(&node.told()[..], [ClusterEvent::PartitionDetected { .. }]));
    // The link is back, and before views have agreed it is this node that is cut off: of those who were lost nobody is missing.
    node.becomes(&[5, 6], NodeState::Alive);
    node.run(1);
    node.becomes(&[5, 6], NodeState::Left);
    node.becomes(&[1, 2, 3, 4], NodeState::Failed);
    node.run(60);
    let told = node.told();
    assert!(matches!(&told[..], [ClusterEvent::PartitionChanged { .. }]), "{told:?}");
    assert!(!node.partition.quorum().held, "it counts itself alone");
    node.becomes(&[1, 2, 3, 4], NodeState::Alive);
    node.run(5);
    assert!(matches!(node.told().last(), Some(ClusterEvent::PartitionHealed { .. })));
}

#[test]
fn a_node_alone_is_not_behind_a_cut() {
    for (lost, in_two) in [(vec![1, 2, 3, 4], false), (vec![2, 3, 4], true)] {
        let mut node = Node::of(5);
        assert!(!node.partition.is_cut_in_two());
        node.becomes(&lost, NodeState::Failed);
        node.run(10);
        assert_eq!(node.partition.is_cut_in_two(), in_two, "{:?}", node.told());
    }
}
