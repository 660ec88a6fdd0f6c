//! Names become workers: each address behind one of them is a worker, for as long as it is behind it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
};

use uuid::Uuid;

use super::super::source::Source;
use crate::{
    agent::seeds::{Resolved, Resolver, Seeds},
    membership::{ClusterEvent, Generation, Incarnation, Node, NodeId},
};

/// The source of a registry whose workers are a list.
pub(super) struct Names {
    seeds: Seeds,
    tags: Arc<BTreeMap<String, String>>,
    capacity: u32,
    /// The workers that the registry knows.
    told: BTreeMap<SocketAddr, Node>,
    events: VecDeque<ClusterEvent>,
    resolver: Arc<dyn Resolver>,
    /// Kept here, so that a registry that looks away for a moment does not ask again.
    resolving: Option<Pin<Box<dyn Future<Output = Resolved> + Send>>>,
}

impl Names {
    pub(super) fn new(
        names: Vec<String>,
        tags: BTreeMap<String, String>,
        capacity: u32,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let (seeds, events) = (Seeds::new(names), VecDeque::new());
        let told = BTreeMap::new();
        let mut names =
            Self { seeds, tags: Arc::new(tags), capacity, told, events, resolver, resolving: None };
        names.tell();
        names
    }

    /// Tells who has come and who is gone. Gone is not failed: somebody has changed the list.
    fn tell(&mut self) {
        let now: BTreeMap<_, _> =
            self.seeds.addrs().into_iter().map(|addr| (addr, self.node(addr))).collect();
        let gone = self.told.iter().filter(|(addr, _)| !now.contains_key(addr));
        self.events.extend(gone.map(|(_, node)| ClusterEvent::NodeLeft(node.clone())));
        let new = now.iter().filter(|(addr, _)| !self.told.contains_key(addr));
        self.events.extend(new.map(|(_, node)| ClusterEvent::NodeJoined(node.clone())));
        self.told = now;
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
            if self.resolving.is_none() {
                self.resolving = self.seeds.due().map(|names| self.resolver.resolve(names));
            }
            match (&mut self.resolving, self.seeds.next_timeout()) {
                (Some(resolving), _) => {
                    let resolved = resolving.await;
                    self.resolving = None;
                    self.seeds.resolved(resolved);
                    self.tell();
                }
                (None, Some(at)) => tokio::time::sleep_until(at).await,
                // Addresses alone: nothing ever changes.
                (None, None) => std::future::pending().await,
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
