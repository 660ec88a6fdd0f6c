//! RpcNet's membership as a core of the simulator.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use rpcnet_cluster::membership::{
    ClusterEvent, Config, Generation, Identity, Membership, Node, NodeId, NodeState, Output, RecordPool,
    StreamFailure, StreamId,
};
use uuid::Uuid;

use super::core::{Action, Change, Core, Failure, Kind, Seat, Version};
use super::parting::Parted;

/// What generations begin with, so that they travel in as many bytes as the milliseconds of a wall clock.
const EPOCH: u64 = 1_700_000_000_000;

/// A node of RpcNet with its default settings.
pub struct Rpcnet {
    inner: Membership,
    /// Requests without an answer, by the number that the simulator knows them by.
    open: BTreeMap<u64, StreamId>,
    last: u64,
}

impl Core for Rpcnet {
    type Shared = RecordPool;

    const NAME: &'static str = "rpcnet";
    // The seal adds 39 bytes to what the core writes (its limit leaves room for them); UDP and IPv4 add 28.
    const DATAGRAM_OVERHEAD: usize = 39 + 28;
    const DATAGRAM_MAX: usize = 1_200 - 39;
    const HELD_TO_INVARIANTS: bool = true;

    fn settings(_nodes: usize) -> String {
        "defaults: heartbeat 1 s, phi 8, acceptable pause 1.5 s, suspicion at least 3 s, 24 000 gossip bytes/s; 67 bytes \
         of seal and headers counted for each datagram, 200 for each request and answer of a stream"
            .into()
    }

    fn new(seat: &Seat, pool: &RecordPool) -> Self {
        let generation = Generation(EPOCH + u64::from(seat.start));
        let identity = Identity::new(id_of(seat.node), generation, socket(seat.addr));
        let config = Config::new(format!("simulated-{}", seat.cluster));
        Self { inner: Membership::sharing(identity, config, seat.seed, pool), open: BTreeMap::new(), last: 0 }
    }

    fn join(&mut self, now: Instant, seeds: &[u32]) {
        let seeds: Vec<_> = seeds.iter().map(|&addr| socket(addr)).collect();
        self.inner.join(now, &seeds);
    }

    fn datagram(&mut self, now: Instant, from: u32, bytes: &[u8]) -> bool {
        self.inner.handle_datagram(now, socket(from), bytes).is_ok()
    }

    fn unreachable(&mut self, now: Instant, addr: u32) {
        self.inner.handle_unreachable(now, socket(addr));
    }

    fn request(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>> {
        self.inner.handle_stream_request(now, bytes).ok()
    }

    fn reply(&mut self, now: Instant, id: u64, result: Result<Vec<u8>, Failure>) {
        if let Some(id) = self.open.remove(&id) {
            // An answer of another cluster is refused inside, and counts as none there.
            let _ = self.inner.handle_stream_reply(now, id, result.map_err(failure));
        }
    }

    fn timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn leave(&mut self, now: Instant) {
        self.inner.leave(now);
    }

    fn poll(&mut self) -> Option<Action> {
        loop {
            match self.inner.poll_output()? {
                Output::Send { to, bytes } => return Some(Action::Send { to: number(to), bytes }),
                Output::Stream { id, to, bytes, timeout } => {
                    self.last += 1;
                    self.open.insert(self.last, id);
                    return Some(Action::Stream { id: self.last, to: number(to), bytes, timeout });
                }
                Output::Event(event) => {
                    if let Some(change) = change(&event) {
                        return Some(Action::Changed(change));
                    }
                    if let Some(parted) = parted(&event) {
                        return Some(Action::Parted(parted));
                    }
                }
                Output::Departed => return Some(Action::Departed),
                // What a user is told about seeds is no matter of the view.
                _ => {}
            }
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.inner.next_timeout()
    }

    fn version(&self) -> Version {
        version(&self.inner.local_node())
    }

    fn quorum(&self) -> Option<(bool, usize, usize)> {
        let quorum = self.inner.quorum();
        Some((quorum.held, quorum.visible, quorum.total))
    }

    fn sees(&self, node: u32) -> bool {
        self.inner.state(id_of(node)).is_some_and(NodeState::is_visible)
    }
}

fn change(event: &ClusterEvent) -> Option<Change> {
    let (kind, node) = match event {
        ClusterEvent::NodeJoined(node) => (Kind::Joined, node),
        ClusterEvent::NodeLeft(node) => (Kind::Left, node),
        ClusterEvent::NodeSuspected { node, .. } => (Kind::Suspected, node),
        ClusterEvent::NodeFailed(node) => (Kind::Failed, node),
        ClusterEvent::NodeRecovered(node) => (Kind::Recovered, node),
        ClusterEvent::TagsChanged(node) => (Kind::Described, node),
        _ => return None,
    };
    Some(Change { kind, node: node_of(&node.id), version: version(node), degraded: node.degraded })
}

fn parted(event: &ClusterEvent) -> Option<Parted> {
    let nodes = |ids: &[NodeId]| ids.iter().map(node_of).collect();
    Some(match event {
        ClusterEvent::PartitionDetected { minority, majority } => {
            Parted::Sides { minority: nodes(minority), majority: nodes(majority), first: true }
        }
        ClusterEvent::PartitionChanged { minority, majority } => {
            Parted::Sides { minority: nodes(minority), majority: nodes(majority), first: false }
        }
        ClusterEvent::PartitionHealed { .. } => Parted::Healed,
        ClusterEvent::MassFailure { .. } => Parted::MassFailure,
        _ => return None,
    })
}

fn node_of(id: &NodeId) -> u32 {
    id.as_uuid().as_u128() as u32
}

fn version(node: &Node) -> Version {
    Version { generation: node.generation.0, incarnation: node.incarnation.0 }
}

fn failure(failure: Failure) -> StreamFailure {
    match failure {
        Failure::Refused => StreamFailure::Refused,
        Failure::Unreachable => StreamFailure::Unreachable,
        Failure::TimedOut => StreamFailure::TimedOut,
    }
}

/// The upper half is the same for all, as operators' own ids may be; the rings hash them.
fn id_of(node: u32) -> NodeId {
    NodeId::new(Uuid::from_u128(0xc0de_0000_0000 << 80 | u128::from(node)))
}

/// 10.x.y.z, on one port.
fn socket(addr: u32) -> SocketAddr {
    let [_, a, b, c] = addr.to_be_bytes();
    SocketAddr::from(([10, a, b, c], 7_946))
}

fn number(socket: SocketAddr) -> u32 {
    match socket {
        SocketAddr::V4(socket) => u32::from_be_bytes(socket.ip().octets()) & 0x00ff_ffff,
        SocketAddr::V6(_) => u32::MAX,
    }
}
