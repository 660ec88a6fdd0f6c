//! Settings of a node, and its start.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use rpcnet::transport::{Transport, memory::MemoryHost};
use rpcnet::{BindError, Server};
use thiserror::Error;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::ClusterMembership;
use super::counters::Counting;
use super::driver::{Driver, Sockets};
use super::gate::Gate;
use super::keyring::Keyring;
use super::sealed::{GatedTransport, Report};
use super::seeds::{Seeds, is_seed};
use super::socket::{DatagramSocket, Network, System};
use super::streams::{self, Request};
use crate::membership::{Config, Generation, Identity, Membership, NodeId, TagError};

/// Ports tried when the system chooses one for TCP that is taken for UDP.
const BIND_TRIES: u32 = 16;

/// Settings of a node, from [`ClusterMembership::builder`].
#[derive(Debug)]
#[must_use = "nothing starts before `join`"]
pub struct ClusterMembershipBuilder {
    bind: String,
    reachable_at: Option<IpAddr>,
    seeds: Vec<String>,
    id: Option<NodeId>,
    label: String,
    capacity: u32,
    tags: Vec<(String, String)>,
    rpc_addr: Option<SocketAddr>,
    config: Config,
    keyring: Option<Keyring>,
    /// What carries calls, if it is not what carries gossip.
    calls: Option<Arc<dyn Transport>>,
    plaintext_anywhere: bool,
    memory: Option<MemoryHost>,
}

/// Why a node could not start. Nothing runs then; a seed that does not answer is no such reason.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The address to bind does not resolve.
    #[error("cannot bind to `{address}`: {cause}")]
    Resolve {
        /// As it was given.
        address: String,
        /// The resolver's error, which the message includes.
        cause: io::Error,
    },
    /// Another process has the port, by UDP or by TCP.
    #[error(
        "cannot bind to {addr}: the port is in use; stop the other process, choose another port, or use port 0 to let \
         the system choose"
    )]
    InUse {
        /// The address.
        addr: SocketAddr,
    },
    /// The address cannot be bound for another reason.
    #[error("cannot bind to {addr}: {cause}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The system's error, which the message includes.
        cause: io::Error,
    },
    /// Gossip is not encrypted, and the address can be reached from other hosts.
    #[error(
        "cannot bind to {addr}: it is not on the loopback interface, and gossip in plain text can be read and forged \
         on the way; give the nodes of the cluster a key by `keyring(…)`, or, if the network is trusted, say \
         `allow_plaintext()`"
    )]
    Plaintext {
        /// The address.
        addr: SocketAddr,
    },
    /// A wildcard address is nowhere that others could send to.
    #[error(
        "cannot announce {addr}: others cannot send to it; say `reachable_at(ip)` with this host's own address"
    )]
    Wildcard {
        /// The address.
        addr: SocketAddr,
    },
    /// A seed is not written as an address.
    #[error(
        "the seed `{seed}` is not an address: write `host:port`, such as `10.0.0.1:7946` or `seed.example:7946`"
    )]
    Seed {
        /// As it was given.
        seed: String,
    },
    /// The label or the tags are too large.
    #[error(transparent)]
    Tag(#[from] TagError),
}

impl ClusterMembershipBuilder {
    pub(super) fn new() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            reachable_at: None,
            seeds: Vec::new(),
            id: None,
            label: String::new(),
            capacity: 0,
            tags: Vec::new(),
            rpc_addr: None,
            config: Config::new("rpcnet"),
            keyring: None,
            calls: None,
            plaintext_anywhere: false,
            memory: None,
        }
    }

    /// Where to gossip, as `host:port`: one port number for UDP and TCP. `127.0.0.1:0`, a free port of this host, when
    /// not set.
    pub fn bind(mut self, address: impl fmt::Display) -> Self {
        self.bind = address.to_string();
        self
    }

    /// The address others reach this node at, needed when it binds a wildcard address such as `0.0.0.0`.
    pub fn reachable_at(mut self, ip: IpAddr) -> Self {
        self.reachable_at = Some(ip);
        self
    }

    /// Nodes that may be running already, as `host:port`; at most 32 addresses are used. One that answers is enough, the
    /// others are tried in the background for ever. Own addresses are harmless, so all nodes can have one list.
    pub fn seeds<S: fmt::Display>(mut self, seeds: impl IntoIterator<Item = S>) -> Self {
        self.seeds.extend(seeds.into_iter().map(|seed| seed.to_string()));
        self
    }

    /// The node's id. A random one when not set: then a restarted process is a new node.
    pub fn node_id(mut self, id: NodeId) -> Self {
        self.id = Some(id);
        self
    }

    /// A name for people.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// How many calls this node wants to carry at once.
    pub fn capacity(mut self, calls: u32) -> Self {
        self.capacity = calls;
        self
    }

    /// A tag, such as `role` = `worker`. All tags together have at most 640 bytes.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Where this process serves calls. A wildcard address is announced as the address this node is reachable at.
    pub fn advertise(mut self, rpc_addr: SocketAddr) -> Self {
        self.rpc_addr = Some(rpc_addr);
        self
    }

    /// The name that keeps clusters apart; `rpcnet` when not set.
    pub fn cluster_name(mut self, name: impl Into<String>) -> Self {
        self.config = self.config.renamed(name);
        self
    }

    /// The protocol's settings, its cluster name included.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Seals gossip with these keys, and refuses what is not. All nodes of a cluster must hold the primary key of each;
    /// see [`Keyring`] for how it is changed while they run. Calls between nodes are not gossip, and not sealed by it.
    pub fn keyring(mut self, keyring: impl Into<Keyring>) -> Self {
        self.keyring = Some(keyring.into());
        self
    }

    /// Secures calls and gossip as a file says: see [`Security`](super::Security). The servers of this process are given
    /// its [`tls`](super::Security::tls) by themselves.
    #[cfg(feature = "tls")]
    pub fn security(self, security: &super::Security) -> Self {
        security.watch();
        self.keyring(security.keyring()).transport(security.tls())
    }

    /// Carries calls to workers by another transport than plain sockets, such as
    /// [`Tls`](rpcnet::transport::tls::Tls). Gossip has its own, which a [`keyring`](Self::keyring) seals.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.calls = Some(Arc::new(transport));
        self
    }

    /// Allows what is not encrypted beyond the loopback interface: calls, and gossip without a keyring. Whoever is on the
    /// way can read and forge them.
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext_anywhere = true;
        self
    }

    /// Runs in a network in memory, as this host of it; of [`bind`](Self::bind) only the port counts then.
    pub fn memory_host(mut self, host: MemoryHost) -> Self {
        self.memory = Some(host);
        self
    }

    /// Starts the node. Returns as soon as its port is bound: seeds are asked in the background, and while none answers
    /// the node goes on alone. [`ClusterMembership::joined`] waits for the first.
    ///
    /// # Errors
    ///
    /// See [`JoinError`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn join(self) -> Result<ClusterMembership, JoinError> {
        if let Some(seed) = self.seeds.iter().find(|seed| !is_seed(seed)) {
            return Err(JoinError::Seed { seed: seed.clone() });
        }
        let network: Arc<dyn Network> = match &self.memory {
            Some(host) => Arc::new(host.clone()),
            None => Arc::new(System { plaintext_anywhere: self.plaintext_anywhere }),
        };
        let bind = self.bind_addr().await?;
        let sealed = self.keyring.is_some();
        if !sealed && !self.plaintext_anywhere && !network.is_private(bind) {
            return Err(JoinError::Plaintext { addr: bind });
        }
        let (gate, counting) = (Gate::new(self.config.cluster_name(), self.keyring.clone()), Arc::default());
        let streams = gate.transport(network.streams(sealed), reporting_to(&counting));
        let bound = Bound::open(network.as_ref(), &streams, bind).await?;
        let addr = self.announced(bound.addr)?;
        let identity = self.identity(addr)?;
        let id = identity.id();
        let membership = Membership::new(identity, self.config, fastrand::u64(..));
        let sockets = Sockets {
            datagrams: bound.datagrams,
            server: bound.server,
            requests: bound.requests,
            gate,
            streams,
            transport: self.calls.clone().unwrap_or_else(|| network.transport()),
            counting,
        };
        Ok(Driver::start(id, addr, membership, sockets, Seeds::new(self.seeds)))
    }

    async fn bind_addr(&self) -> Result<SocketAddr, JoinError> {
        let failed = |cause| JoinError::Resolve { address: self.bind.clone(), cause };
        let mut addrs = tokio::net::lookup_host(&self.bind).await.map_err(failed)?;
        let addr = addrs.next().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let ip = self.memory.as_ref().map_or(addr.ip(), MemoryHost::ip);
        Ok(SocketAddr::new(ip, addr.port()))
    }

    /// What others are told to send to.
    fn announced(&self, bound: SocketAddr) -> Result<SocketAddr, JoinError> {
        let ip = self.reachable_at.unwrap_or(bound.ip());
        if ip.is_unspecified() {
            return Err(JoinError::Wildcard { addr: bound });
        }
        Ok(SocketAddr::new(ip, bound.port()))
    }

    fn identity(&self, addr: SocketAddr) -> Result<Identity, TagError> {
        let id = self.id.unwrap_or_else(|| NodeId::new(Uuid::new_v4()));
        let mut identity = Identity::new(id, generation(), addr).label(&self.label)?.capacity(self.capacity);
        for (key, value) in &self.tags {
            identity = identity.tag(key, value)?;
        }
        if let Some(rpc) = self.rpc_addr {
            let ip = if rpc.ip().is_unspecified() { addr.ip() } else { rpc.ip() };
            identity = identity.rpc_addr(SocketAddr::new(ip, rpc.port()));
        }
        Ok(identity)
    }
}

/// Counts the streams that cannot be read.
fn reporting_to(counting: &Arc<Counting>) -> Report {
    let counting = Arc::clone(counting);
    Arc::new(move |why| counting.streams_unreadable.count(why))
}

/// Which start this is: wall-clock milliseconds, the only use of a wall clock. A clock that went back is repaired by the
/// protocol: a node that meets a newer version of itself takes the generation after it.
fn generation() -> Generation {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Generation(since_epoch.as_millis() as u64)
}

/// Both sockets of a node, at one port number.
struct Bound {
    addr: SocketAddr,
    datagrams: Arc<dyn DatagramSocket>,
    server: Server,
    requests: mpsc::Receiver<Request>,
}

impl Bound {
    async fn open(
        network: &dyn Network,
        streams: &GatedTransport,
        at: SocketAddr,
    ) -> Result<Self, JoinError> {
        let tries = if at.port() == 0 { BIND_TRIES } else { 1 };
        let mut result = Self::try_open(network, streams, at).await;
        for _ in 1..tries {
            if !matches!(result, Err(JoinError::InUse { .. })) {
                break;
            }
            // Free for TCP and taken for UDP: let the system choose again.
            result = Self::try_open(network, streams, at).await;
        }
        result
    }

    async fn try_open(
        network: &dyn Network,
        streams: &GatedTransport,
        at: SocketAddr,
    ) -> Result<Self, JoinError> {
        let (server, requests) = streams::service(streams.clone());
        let server = server.bind(at).await.map_err(|error| match error {
            BindError::Listen { cause, .. } => bind_error(at, cause),
            // One method alone cannot be there twice, and no rule speaks of it.
            other => bind_error(at, io::Error::other(other)),
        })?;
        let addr = SocketAddr::new(at.ip(), server.local_addr().port());
        let datagrams = network.datagrams(addr).await.map_err(|cause| bind_error(addr, cause))?;
        Ok(Self { addr, datagrams, server, requests })
    }
}

fn bind_error(addr: SocketAddr, cause: io::Error) -> JoinError {
    match cause.kind() {
        io::ErrorKind::AddrInUse => JoinError::InUse { addr },
        _ => JoinError::Bind { addr, cause },
    }
}
