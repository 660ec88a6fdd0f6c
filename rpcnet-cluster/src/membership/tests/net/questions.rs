//! What a test may ask of the world.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::super::super::{ClusterEvent, Node, NodeState};
use super::{Logged, Net, Process, id};

impl Net {
    pub(in super::super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub(in super::super) fn now(&self) -> Instant {
        self.now
    }

    pub(in super::super) fn is_running(&self, index: usize) -> bool {
        self.hosts[index].process == Process::Running
    }

    pub(in super::super) fn running(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.hosts.len()).filter(|&index| self.is_running(index))
    }

    /// Every running node sees exactly `count` nodes.
    pub(in super::super) fn all_see(&self, count: usize) -> bool {
        self.running().all(|index| self.hosts[index].view.len() == count)
    }

    pub(in super::super) fn state(&self, observer: usize, subject: usize) -> Option<NodeState> {
        self.hosts[observer].membership.state(id(subject))
    }

    pub(in super::super) fn everywhere(&self, subject: usize, state: NodeState) -> bool {
        self.running()
            .filter(|&index| index != subject)
            .all(|index| self.state(index, subject) == Some(state))
    }

    /// Events of one node after a moment.
    pub(in super::super) fn events(&self, observer: usize, after: Duration) -> Vec<&ClusterEvent> {
        let of = |logged: &&Logged| logged.observer == observer && logged.at >= after;
        self.log.iter().filter(of).map(|logged| &logged.event).collect()
    }

    /// How often anybody has called a node failed.
    pub(in super::super) fn failures(&self) -> Vec<&Logged> {
        self.log.iter().filter(|logged| matches!(logged.event, ClusterEvent::NodeFailed(_))).collect()
    }

    /// The events folded give the view that the node itself reports.
    pub(in super::super) fn assert_views_fold(&self) {
        for (index, host) in self.hosts.iter().enumerate() {
            let visible: BTreeSet<_> = host.membership.visible().map(|node| node.id).collect();
            let folded: BTreeSet<_> = host.view.keys().copied().collect();
            assert_eq!(visible, folded, "of node {index}");
            for node in host.membership.visible() {
                let held = &host.view[&node.id];
                let said = |node: &Node| (node.tags.clone(), node.addr, node.degraded);
                assert_eq!(said(held), said(&node), "of node {index}");
            }
        }
    }

    /// A number that stands for everything that was said to users, and when.
    pub(in super::super) fn trace(&self) -> u64 {
        self.trace
    }
}
