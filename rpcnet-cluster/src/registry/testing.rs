//! Nodes for the tests of the registry and of what stands on it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use rpcnet::transport::memory::MemoryNetwork;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::source::Source;
use crate::{
    dispatch::Dialler,
    membership::{ClusterEvent, Generation, Incarnation, Node, NodeId},
    registry::Instance,
};

pub(crate) fn instance(number: u128, generation: u64) -> Instance {
    Instance { id: NodeId::new(Uuid::from_u128(number)), generation: Generation(generation) }
}

/// A node that serves calls at `10.0.0.<number>:80` and is tagged `role=worker`.
pub(crate) fn node(number: u8, generation: u64) -> Node {
    let at = |port| SocketAddr::from((Ipv4Addr::new(10, 0, 0, number), port));
    let instance = instance(number.into(), generation);
    Node {
        id: instance.id,
        label: format!("worker-{number}").into(),
        addr: at(7946),
        rpc_addr: Some(at(80)),
        capacity: 0,
        tags: Arc::new(BTreeMap::from([("role".to_owned(), "worker".to_owned())])),
        generation: instance.generation,
        incarnation: Incarnation::default(),
        degraded: false,
    }
}

/// Lines over a network where nobody listens.
pub(crate) fn dialler() -> Dialler {
    Dialler::new(Arc::new(MemoryNetwork::new(1).host([10, 0, 0, 250])), mpsc::channel(1).0)
}

/// A cluster that says what a test makes it say.
#[derive(Debug)]
pub(crate) struct Script {
    events: mpsc::UnboundedReceiver<ClusterEvent>,
    reported: Arc<Mutex<Vec<NodeId>>>,
}

/// The other end of a [`Script`].
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) events: mpsc::UnboundedSender<ClusterEvent>,
    /// Whom the registry reported, in order.
    pub(crate) reported: Arc<Mutex<Vec<NodeId>>>,
}

impl Script {
    pub(crate) fn new() -> (Self, Scripted) {
        let (sender, events) = mpsc::unbounded_channel();
        let reported = Arc::new(Mutex::new(Vec::new()));
        (Self { events, reported: Arc::clone(&reported) }, Scripted { events: sender, reported })
    }
}

impl Source for Script {
    async fn recv(&mut self) -> Option<ClusterEvent> {
        self.events.recv().await
    }

    fn report_failure(&mut self, node: NodeId) {
        self.reported.lock().push(node);
    }
}

impl Scripted {
    pub(crate) fn tell(&self, event: ClusterEvent) {
        self.events.send(event).expect("the registry listens");
    }
}
