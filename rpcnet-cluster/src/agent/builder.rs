//! Settings of a node, and its start.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rpcnet::transport::{Transport, memory::MemoryHost};

use super::bound::Bound;
use super::counters::Counting;
use super::driver::{Driver, Sockets};
use super::gate::Gate;
use super::handle::Reconcile;
use super::keyring::Keyring;
use super::sealed::Report;
use super::seeds::{Seeds, is_seed};
use super::socket::{Network, System};
use super::state::{Keeper, State, StateFile, warn_unwritten};
use super::{ClusterMembership, JoinError};
use crate::membership::{Config, Identity, Membership, NodeId, TagError};
use crate::metrics;
use crate::partition::QuorumRule;

/// Settings of a node, from [`ClusterMembership::builder`].
/// A node that nobody else is asked about needs none of them. A worker of a cluster in production has most of these:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, QuorumRule};
///
/// let node = ClusterMembership::builder()
///     .bind("127.0.0.1:0") // where it gossips
///     .seeds(["127.0.0.1:7946"]) // whom it asks until somebody answers; it goes on alone meanwhile
///     .label("worker-7")
///     .tag("role", "worker")
///     .capacity(64)
///     .advertise("127.0.0.1:7001".parse()?) // where its server takes calls
///     .quorum(QuorumRule::Majority)
///     .join()
///     .await?;
/// assert_eq!(node.visible_nodes().await.len(), 1, "it sees itself, so far");
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before `join`"]
pub struct ClusterMembershipBuilder {
    bind: String,
    reachable_at: Option<IpAddr>,
    seeds: Vec<String>,
    id: Option<NodeId>,
    state: Option<PathBuf>,
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
    reconcile: Option<Hook>,
}

/// The application's reconciliation, which has no other form to print.
struct Hook(Reconcile);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

impl ClusterMembershipBuilder {
    pub(super) fn new() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            reachable_at: None,
            seeds: Vec::new(),
            id: None,
            state: None,
            label: String::new(),
            capacity: 0,
            tags: Vec::new(),
            rpc_addr: None,
            config: Config::new("rpcnet"),
            keyring: None,
            calls: None,
            plaintext_anywhere: false,
            memory: None,
            reconcile: None,
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

    /// The node's id. When not set, the one of the [`state_file`](Self::state_file), or a random one without such a file:
    /// then a restarted process is a new node.
    pub fn node_id(mut self, id: NodeId) -> Self {
        self.id = Some(id);
        self
    }

    /// Where the node keeps, over restarts, who it is and which start this is, so that others know it again at once and
    /// never take it for an earlier start, whatever became of the host's clock. Each node needs a file of its own.
    ///
    /// None when not set: with an id of its own a node then counts its starts by the wall clock, and if that was set back
    /// it needs about a second to learn from the others that it has been there before.
    ///
    /// Written at the start, atomically and through to the disk (two writes and a rename). A file that is not there yet or
    /// is empty is a first start. A full disk is a warning in the log and does no more harm than no file; a file with
    /// something else in it, or of another node, is an error, and left as it is.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(path.into());
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

    /// Which side of a split may go on as the cluster; [`QuorumRule::Majority`] when not set. All nodes must have the same.
    pub fn quorum(mut self, rule: QuorumRule) -> Self {
        self.config = self.config.quorum(rule);
        self
    }

    /// What this node does when the sides of a split have found each other, before it is told that the split is healed and
    /// a minority may write again: fetch what the others hold, and merge it. It is given the nodes that are back. Writes of
    /// a former minority stay refused until it ends, so it should have a deadline of its own; a panic counts as its end.
    pub fn reconcile<F, Fut>(mut self, with: F) -> Self
    where
        F: Fn(Vec<NodeId>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.reconcile = Some(Hook(Arc::new(move |rejoined| Box::pin(with(rejoined)))));
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
        metrics::describe();
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
        // Once the port is bound: a second process with the same settings must not count as a start of the first.
        let (state, keeper) = remember(self.state.clone(), self.id).await?;
        let identity = self.identity(state, addr)?;
        let membership =
            Membership::new(identity, self.config.reconciles(self.reconcile.is_some()), fastrand::u64(..));
        let sockets = Sockets {
            datagrams: bound.datagrams,
            server: bound.server,
            requests: bound.requests,
            gate,
            streams,
            transport: self.calls.clone().unwrap_or_else(|| network.transport()),
            counting,
            reconcile: self.reconcile.map(|hook| hook.0),
        };
        Ok(Driver::start(addr, membership, sockets, Seeds::new(self.seeds), keeper))
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

    fn identity(&self, state: State, addr: SocketAddr) -> Result<Identity, TagError> {
        let identity = Identity::new(state.id, state.generation, addr);
        let mut identity = identity.label(&self.label)?.capacity(self.capacity);
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

/// Who this node is, and which start this is: from the file, if there is to be one, and written to it.
async fn remember(path: Option<PathBuf>, id: Option<NodeId>) -> Result<(State, Option<Keeper>), JoinError> {
    let Some(path) = path else {
        let state = State::next(None, id, SystemTime::now());
        return Ok((state.expect("without a file there is nothing to disagree with"), None));
    };
    let file = StateFile::new(path.clone());
    let begin = move || {
        let state = State::next(file.read()?, id, SystemTime::now())?;
        if let Err(error) = file.write(state) {
            warn_unwritten(&file, &error);
        }
        Ok((state, Some(Keeper::new(file, state))))
    };
    let begun = tokio::task::spawn_blocking(begin).await.expect("reading and writing a file does not panic");
    begun.map_err(|cause| JoinError::State { path, cause })
}
