//! Who sees whom, folded from the changes that the processes report.

use super::bits::Bits;
use super::core::{Change, Kind};

/// Every node's view, a bit for each pair.
#[derive(Debug)]
pub(crate) struct Ledger {
    views: Vec<Bits>,
    /// The nodes whose processes run, by cluster.
    running: [Bits; 2],
    cluster_of: Vec<u8>,
    /// Where to look first: whoever was behind the last time.
    behind: usize,
}

impl Ledger {
    pub(crate) fn new(cluster_of: Vec<u8>) -> Self {
        let nodes = cluster_of.len();
        Self {
            views: vec![Bits::for_nodes(nodes); nodes],
            running: [Bits::for_nodes(nodes), Bits::for_nodes(nodes)],
            cluster_of,
            behind: 0,
        }
    }

    pub(crate) fn started(&mut self, node: u32) {
        let nodes = self.views.len();
        self.views[node as usize] = Bits::for_nodes(nodes);
        self.running[self.cluster(node)].insert(node);
    }

    pub(crate) fn ended(&mut self, node: u32) {
        self.running[self.cluster(node)].remove(node);
    }

    pub(crate) fn note(&mut self, observer: u32, change: &Change) {
        let view = &mut self.views[observer as usize];
        match change.kind {
            Kind::Joined | Kind::Recovered => {
                view.insert(change.node);
            }
            Kind::Left | Kind::Failed => {
                view.remove(change.node);
            }
            Kind::Suspected | Kind::Described => {}
        }
    }

    pub(crate) fn sees(&self, observer: u32, node: u32) -> bool {
        self.views[observer as usize].contains(node)
    }

    pub(crate) fn running(&self) -> usize {
        self.running.iter().map(Bits::len).sum()
    }

    /// Pairs of an observer that runs and a node it sees.
    pub(crate) fn pairs(&self) -> u64 {
        let running = |&node: &usize| self.running[self.cluster(node as u32)].contains(node as u32);
        (0..self.views.len()).filter(running).map(|node| self.views[node].len() as u64).sum()
    }

    /// Whoever runs sees whoever runs, and nobody else.
    pub(crate) fn whole(&mut self) -> bool {
        self.gap().is_none()
    }

    /// A node whose view is not what runs, and where the two differ.
    pub(crate) fn gap(&mut self) -> Option<(u32, Vec<u32>)> {
        let nodes = self.views.len();
        for offset in 0..nodes {
            let observer = (self.behind + offset) % nodes;
            let running = &self.running[self.cluster(observer as u32)];
            if running.contains(observer as u32) && self.views[observer] != *running {
                self.behind = observer;
                return Some((observer as u32, self.views[observer].difference(running)));
            }
        }
        None
    }

    fn cluster(&self, node: u32) -> usize {
        usize::from(self.cluster_of[node as usize])
    }
}
