//! Workers that failed a short while ago. Pure: whoever has failed is no member, so that the picture does not know it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::membership::{ClusterEvent, Node, NodeId};

/// How long a worker is listed that failed and did not come back. One that was replaced elsewhere under another id never does.
pub(super) const KEPT: Duration = Duration::from_secs(600);

/// As many as are listed: of more, those that failed last.
const LISTED_MAX: usize = 256;

/// A worker that failed.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    pub(super) node: Node,
    pub(super) at: Instant,
}

/// Those there were of late.
#[derive(Debug, Default)]
pub(super) struct Losses {
    listed: BTreeMap<NodeId, Loss>,
}

impl Losses {
    /// Takes in one event.
    pub(super) fn apply(&mut self, event: &ClusterEvent, now: Instant) {
        match event {
            ClusterEvent::NodeFailed(node) if node.rpc_addr.is_some() => {
                let known = self.listed.get(&node.id);
                if known.is_none_or(|loss| loss.node.generation <= node.generation) {
                    self.listed.insert(node.id, Loss { node: node.clone(), at: now });
                }
            }
            ClusterEvent::NodeJoined(node)
            | ClusterEvent::NodeRecovered(node)
            | ClusterEvent::TagsChanged(node)
            | ClusterEvent::NodeSuspected { node, .. }
            | ClusterEvent::NodeLeft(node) => self.forget(node),
            _ => {}
        }
        self.listed.retain(|_, loss| loss.is_recent(now));
        while self.listed.len() > LISTED_MAX {
            let oldest = self.listed.values().min_by_key(|loss| loss.at).map(|loss| loss.node.id);
            oldest.map(|id| self.listed.remove(&id));
        }
    }

    pub(super) fn list(&self) -> Vec<Loss> {
        self.listed.values().cloned().collect()
    }

    /// A node is there, or left as one should, unless the word is older than its failure. Another one at its address has come
    /// in its place.
    fn forget(&mut self, node: &Node) {
        self.listed.retain(|id, loss| match *id == node.id {
            true => loss.node.generation > node.generation,
            false => loss.node.rpc_addr != node.rpc_addr,
        });
    }
}

impl Loss {
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::node;
    use ClusterEvent::{NodeFailed, NodeJoined, NodeLeft, NodeRecovered};

    fn listed(events: &[(ClusterEvent, u64)]) -> Vec<u128> {
        let (begin, mut losses) = (Instant::now(), Losses::default());
        for (event, second) in events {
            losses.apply(event, begin + Duration::from_secs(*second));
        }
        losses.list().iter().map(|loss| loss.node.id.as_uuid().as_u128()).collect()
    }

    #[test]
    fn a_failed_worker_is_listed_until_it_is_back_or_left_or_replaced() {
        let failed = (NodeFailed(node(1, 3)), 0);
        assert_eq!(listed(std::slice::from_ref(&failed)), [1]);
        for back in [NodeRecovered(node(1, 3)), NodeJoined(node(1, 4)), NodeLeft(node(1, 3))] {
            assert_eq!(listed(&[failed.clone(), (back.clone(), 1)]), [0_u128; 0], "{back:?}");
        }
        assert_eq!(
            listed(&[failed.clone(), (NodeJoined(node(1, 2)), 1)]),
            [1],
            "an older process is not back"
        );
        let mut successor = node(2, 1);
        successor.rpc_addr = node(1, 3).rpc_addr;
        assert_eq!(listed(&[failed, (NodeJoined(successor), 1)]), [0_u128; 0], "another has its place");
    }

    #[test]
    fn a_node_that_serves_nothing_is_no_lost_worker() {
        let mut silent = node(1, 1);
        silent.rpc_addr = None;
        assert_eq!(listed(&[(NodeFailed(silent), 0)]), [0_u128; 0]);
    }

    #[test]
    fn whoever_failed_long_ago_is_forgotten_and_so_is_the_first_of_too_many() {
        assert_eq!(listed(&[(NodeFailed(node(1, 1)), 0), (NodeFailed(node(2, 1)), KEPT.as_secs())]), [2]);
        let mut losses = Losses::default();
        let begin = Instant::now();
        for number in 0..=LISTED_MAX {
            let mut lost = node(1, 1);
            lost.id = NodeId::new(uuid::Uuid::from_u128(number as u128));
            losses.apply(&NodeFailed(lost), begin + Duration::from_millis(number as u64));
        }
        let first = losses.list().first().map(|loss| loss.node.id.as_uuid().as_u128());
        assert_eq!((losses.list().len(), first), (LISTED_MAX, Some(1)));
    }
}
