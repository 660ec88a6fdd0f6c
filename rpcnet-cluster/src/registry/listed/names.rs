//! Names become workers: each address behind one of them is a worker, for as long as it is behind it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    net::SocketAddr,
    sync::Arc,
};

use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use super::super::source::Source;
use crate::{
    agent::{
        lookups::{Lookups, Resolved, Resolver},
        seeds::Seeds,
    },
    membership::{ClusterEvent, Generation, Incarnation, Node, NodeId},
};

/// How many workers a list may have. Every call looks at each of them, and a resolver may answer with as many as it likes.
pub(super) const WORKERS_MAX: usize = 4_096;

/// The source of a registry whose workers are a list.
pub(super) struct Names {
    seeds: Seeds,
    tags: Arc<BTreeMap<String, String>>,
    capacity: u32,
    /// The workers that the registry knows.
    told: BTreeMap<SocketAddr, Node>,
    events: VecDeque<ClusterEvent>,
    lookups: Lookups,
    /// Those under way. Kept here, so that a registry that looks away for a moment does not ask again.
    resolving: JoinSet<Resolved>,
}

impl Names {
    pub(super) fn new(
        names: Vec<String>,
        tags: BTreeMap<String, String>,
        capacity: u32,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let (seeds, tags, lookups) = (Seeds::new(names), Arc::new(tags), Lookups::new(resolver));
        let (told, events, resolving) = (BTreeMap::new(), VecDeque::new(), JoinSet::new());
        let mut names = Self { seeds, tags, capacity, told, events, lookups, resolving };
        names.tell();
        names
    }

    /// Tells who has come and who is gone. Gone is not failed: somebody has changed the list.
    fn tell(&mut self) {
        let now: BTreeMap<_, _> = self.addrs().into_iter().map(|addr| (addr, self.node(addr))).collect();
        let gone = self.told.iter().filter(|(addr, _)| !now.contains_key(addr));
        self.events.extend(gone.map(|(_, node)| ClusterEvent::NodeLeft(node.clone())));
        let new = now.iter().filter(|(addr, _)| !self.told.contains_key(addr));
        self.events.extend(new.map(|(_, node)| ClusterEvent::NodeJoined(node.clone())));
        self.told = now;
    }

    /// Where the workers are. Of too many, those that are known stay, so that nobody comes and goes by the order of an answer.
    fn addrs(&self) -> Vec<SocketAddr> {
        let mut addrs = self.seeds.addrs();
        if addrs.len() > WORKERS_MAX {
            tracing::warn!(
                found = addrs.len(),
                WORKERS_MAX,
                "the list has too many workers; the rest get no calls"
            );
            addrs.sort_by_key(|addr| !self.told.contains_key(addr));
            addrs.truncate(WORKERS_MAX);
        }
        addrs
    }

    /// The worker at an address. Nobody says which process it is, so that the address stands for it.
    fn node(&self, addr: SocketAddr) -> Node {
        Node {
            id: id(addr),
            label: self.seeds.name(addr).into(),
            addr,
            rpc_addr: Some(addr),
            capacity: self.capacity,
            tags: Arc::clone(&self.tags),
            generation: Generation(0),
            incarnation: Incarnation::default(),
            degraded: false,
        }
    }
}

/// The id of whoever is at an address: the same for all who have it on their list, so that they agree where a key belongs.
fn id(addr: SocketAddr) -> NodeId {
    /// Drawn once, for this purpose (RFC 9562, §5.5).
    const SPACE: Uuid = Uuid::from_u128(0x8f14_7e1b_5a0c_4c55_9f0b_27d3_6a41_90ce);
    NodeId::new(Uuid::new_v5(&SPACE, addr.to_string().as_bytes()))
}

impl Source for Names {
    async fn recv(&mut self) -> Option<ClusterEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            for name in self.seeds.due() {
                self.resolving.spawn(self.lookups.clone().look_up(name));
            }
            let due = self.seeds.next_timeout();
            tokio::select! {
                biased;
                Some(resolved) = self.resolving.join_next() => {
                    self.seeds.resolved(resolved.expect("a lookup does not panic, and is not cancelled"));
                    self.tell();
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                // Addresses alone: nothing ever changes.
                else => std::future::pending().await,
            }
        }
    }

    /// A worker that cannot be reached may have another address by now.
    fn report_failure(&mut self, node: NodeId) {
        let found = self.told.iter().find(|(_, told)| told.id == node);
        if let Some((addr, _)) = found {
            self.seeds.unreachable(*addr);
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("seeds", &self.seeds).finish_non_exhaustive()
    }
}
