//! One worker, as the registry hands it out.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};

use crate::{
    balance::Candidate,
    dispatch::{Line, Runner},
    membership::{Generation, Node, NodeId},
};

/// A node that serves calls: a member of the cluster that advertised where its RPC service listens.
///
/// A value that does not change: what the registry held of the worker when it was asked. What this process has to do with the
/// worker, its calls in flight and its connection, is shared by all such values of one process of the worker, and is as it
/// is now.
///
/// Cheap to clone. Whoever holds one keeps the connection to the worker open, also after the worker has left the registry:
/// a change of the membership ends no call.
#[derive(Clone)]
#[non_exhaustive]
pub struct Worker {
    /// The node's id.
    pub id: NodeId,
    /// The node's name for people; may be empty.
    pub label: Arc<str>,
    /// Where its RPC service listens.
    pub addr: SocketAddr,
    /// Its tags, which selectors look at.
    pub tags: Arc<BTreeMap<String, String>>,
    /// How many calls it wants to carry at once; 0 when it did not say.
    pub capacity: u32,
    generation: Generation,
    suspected: bool,
    line: Arc<Line>,
}

/// One run of a worker's process. A worker that was restarted is another instance: it remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instance {
    pub(crate) id: NodeId,
    pub(crate) generation: Generation,
}

impl From<&Node> for Instance {
    fn from(node: &Node) -> Self {
        Self { id: node.id, generation: node.generation }
    }
}

impl Worker {
    /// The worker that a node is, reached over a line.
    pub(super) fn new(node: &Node, suspected: bool, line: Arc<Line>) -> Self {
        Self {
            id: node.id,
            label: Arc::clone(&node.label),
            addr: line.addr(),
            tags: Arc::clone(&node.tags),
            capacity: node.capacity,
            generation: node.generation,
            suspected,
            line,
        }
    }

    /// How many calls this process has in flight to the worker now: begun through the registry it comes from, and neither
    /// ended nor given up.
    ///
    /// Exact: a call counts from before it is sent until its future has ended or was dropped.
    pub fn active_connections(&self) -> u32 {
        self.line.in_flight()
    }

    /// Whether nothing speaks against sending calls here: nobody in the cluster suspected the worker when it was taken from
    /// the registry, and this process could reach it when it last tried.
    pub fn is_healthy(&self) -> bool {
        !self.suspected && self.line.admits()
    }

    /// Whether something does: the worker is suspected, or could not be reached a moment ago. It is still a member, and
    /// gets calls when there is no other.
    pub fn is_degraded(&self) -> bool {
        !self.is_healthy()
    }

    pub(crate) fn instance(&self) -> Instance {
        Instance { id: self.id, generation: self.generation }
    }

    /// The worker as a strategy sees it now.
    pub(crate) fn candidate(&self) -> Candidate {
        Candidate { instance: self.instance(), in_flight: self.line.in_flight() }
    }

    /// The worker as the scheduler of a call sees it now.
    pub(crate) fn runner(&self) -> Runner {
        let (ejected, refused) = self.line.ejected();
        Runner { instance: self.instance(), suspected: self.suspected, ejected, refused }
    }

    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl From<&Worker> for NodeId {
    fn from(worker: &Worker) -> Self {
        worker.id
    }
}

/// The name of a worker in errors and logs: label and address.
impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.label.is_empty() {
            write!(f, "{:?} at {}", self.id, self.addr)
        } else {
            write!(f, "{} at {}", self.label, self.addr)
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("addr", &self.addr)
            .field("tags", &self.tags)
            .field("capacity", &self.capacity)
            .field("suspected", &self.suspected)
            .field("active_connections", &self.active_connections())
            .finish_non_exhaustive()
    }
}
