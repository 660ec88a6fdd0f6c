//! What a followed node says: pictures in pieces, then changes, each with its version.

use std::{collections::BTreeMap, net::SocketAddr};

use rpcnet::{AppError, Streaming, rpc_trait};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::membership::{Generation, Incarnation, Node, NodeId};

/// How many nodes are told of in one message: at most some 30 KB, as a node's texts are bounded by its datagram.
pub(super) const ENTRIES_MAX: usize = 32;

/// The view of a node, for whoever is no member.
#[rpc_trait]
pub(super) trait RegistryFeed {
    /// The whole picture, then each change of it; every item is an encoded [`Update`], so that what is told to a thousand
    /// is encoded once. Complete when the node leaves its cluster.
    #[rpc(read)]
    async fn follow(&self) -> Result<Streaming<bytes::Bytes>, AppError>;
}

/// One message to a follower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Update {
    /// A piece of the whole picture, which replaces what was told before once its last piece is there.
    Picture { version: u64, entries: Vec<Entry>, last: bool },
    /// What has changed since the version before.
    Changed { version: u64, entries: Vec<Entry>, gone: Vec<Gone> },
}

/// A node that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    id: Uuid,
    label: String,
    addr: SocketAddr,
    rpc_addr: Option<SocketAddr>,
    capacity: u32,
    tags: BTreeMap<String, String>,
    generation: u64,
    incarnation: u64,
    degraded: bool,
    suspected: bool,
}

/// A node that is there no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Gone {
    id: Uuid,
    generation: u64,
    /// It said farewell.
    left: bool,
}

/// What is held of a node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seat {
    pub(super) node: Node,
    pub(super) suspected: bool,
}

impl From<&Seat> for Entry {
    fn from(Seat { node, suspected }: &Seat) -> Self {
        Self {
            id: *node.id.as_uuid(),
            label: node.label.to_string(),
            addr: node.addr,
            rpc_addr: node.rpc_addr,
            capacity: node.capacity,
            tags: (*node.tags).clone(),
            generation: node.generation.0,
            incarnation: node.incarnation.0,
            degraded: node.degraded,
            suspected: *suspected,
        }
    }
}

impl From<Entry> for Seat {
    fn from(entry: Entry) -> Self {
        let node = Node {
            id: NodeId::new(entry.id),
            label: entry.label.into(),
            addr: entry.addr,
            rpc_addr: entry.rpc_addr,
            capacity: entry.capacity,
            tags: entry.tags.into(),
            generation: Generation(entry.generation),
            incarnation: Incarnation(entry.incarnation),
            degraded: entry.degraded,
        };
        Self { node, suspected: entry.suspected }
    }
}

impl Gone {
    pub(super) fn new(node: &Node, left: bool) -> Self {
        Self { id: *node.id.as_uuid(), generation: node.generation.0, left }
    }

    pub(super) fn id(&self) -> NodeId {
        NodeId::new(self.id)
    }

    pub(super) fn generation(&self) -> Generation {
        Generation(self.generation)
    }

    pub(super) fn left(&self) -> bool {
        self.left
    }
}
