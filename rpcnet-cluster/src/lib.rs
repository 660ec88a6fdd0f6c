//! Many processes: who is there, who is well, and who gets the next call.
//!
//! Each process is a *node*. Nodes find each other by gossip and watch each other ([`ClusterMembership`]); those that
//! serve calls are *workers* ([`WorkerRegistry`]); a call goes to one that is well, and to another when that one dies
//! ([`ResilientClient`]). There is no coordinator and nothing to install.
//!
//! ```
//! use rpcnet::prelude::*;
//! use rpcnet_cluster::prelude::*;
//!
//! #[rpc_trait]
//! pub trait Compute {
//!     /// May be sent again, to another worker.
//!     #[rpc(idempotent)]
//!     async fn square(&self, n: i64) -> rpcnet::Result<i64>;
//! }
//!
//! struct Worker;
//!
//! impl Compute for Worker {
//!     async fn square(&self, n: i64) -> rpcnet::Result<i64> {
//!         Ok(n * n)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // One process, or many like it: a worker.
//! let server = Server::builder().service(ComputeServer::new(Worker)).bind("127.0.0.1:0").await?;
//! let worker = ClusterMembership::builder().tag("role", "worker").advertise(server.local_addr()).join().await?;
//! tokio::spawn(server.serve());
//!
//! // Another: whoever calls. One node that is there already is enough to join by.
//! let cluster = ClusterMembership::builder().seeds([worker.local_addr()]).join().await?;
//! let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
//! let compute = ComputeClient::new(ResilientClient::new(registry).select("role=worker"));
//! assert_eq!(compute.square(3).await?, 9);
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! - A worker whose process dies is avoided by the next call within milliseconds (its host refuses, its connections
//!   break) and is failed for the whole cluster within about two seconds; one that falls silent, within 4 to 8.
//! - A call that may have run is sent again only when its method is `#[rpc(idempotent)]`; otherwise its caller is told
//!   that the outcome is unknown.
//! - Membership is eventually consistent. It reports; it is not consensus, and it never ends a process.
//! - Calls do not need it: with gossip gone they go on with the last picture.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | joining, tags, events, leaving | [`ClusterMembership`], [`ClusterEvent`] |
//! | who serves what, selectors | [`WorkerRegistry`], [`Worker`], [`Selector`] |
//! | the same without being a member | [`WorkerRegistry::follow`], [`WorkerRegistry::service`] |
//! | whose turn it is | [`LoadBalancing`], [`Balancer`], [`Strategy`] |
//! | calls: what is sent again, when, how often | [`ResilientClient`], [`Resilience`], [`FailedAttempts`], [`CallReport`] |
//! | a circuit breaker around anything | [`CircuitBreaker`] |
//! | sealing gossip, changing its keys | [`Keyring`] |
//! | the protocol itself, without sockets | [`membership`] |
//! | a cluster in a test (feature `testkit`) | `testkit` |
//!
//! # What happens to the others
//!
//! Whoever wants to know is told, in order; a reader that was too slow is told so, and then the whole view:
//!
//! ```
//! use rpcnet_cluster::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = ClusterMembership::builder().tag("role", "watcher").join().await?;
//! let mut events = cluster.subscribe();
//! let watching = tokio::spawn(async move {
//!     while let Some(event) = events.recv().await {
//!         match event {
//!             ClusterEvent::NodeJoined(node) => println!("{} is there", node.label),
//!             ClusterEvent::NodeFailed(node) => println!("{} at {} failed", node.label, node.addr),
//!             ClusterEvent::PartitionDetected { minority, .. } => println!("{} nodes are cut off", minority.len()),
//!             _ => {}
//!         }
//!     }
//! });
//! cluster.leave().await;
//! # watching.abort();
//! # Ok(()) }
//! ```
//!
//! # A test of a kill
//!
//! With the feature `testkit`, in milliseconds, for its clock jumps over the waiting:
//!
#![cfg_attr(feature = "testkit", doc = "```")]
#![cfg_attr(not(feature = "testkit"), doc = "```ignore")]
//! use rpcnet_cluster::{ResilientClient, testkit::TestCluster};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let cluster = TestCluster::new(1);
//! let caller = cluster.node("caller").start().await;
//! let worker = |label| {
//!     let node = cluster.node(label).tag("role", "worker");
//!     node.serve(|server| server.register("echo", |bytes| async move { Ok(bytes) })).start()
//! };
//! let (ann, _bob) = (worker("ann").await, worker("bob").await);
//! cluster.converged().await;
//!
//! ann.kill();
//! let client = ResilientClient::new(caller.registry()).select("role=worker");
//! assert!(client.call("echo", vec![1, 2, 3]).await.is_ok());
//! # }
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tls` | yes | `Security`: certificates for calls and keys for gossip, by one file; `rpcnet/tls` |
//! | `testkit` | | `testkit`: a cluster in one process, over a network in memory and in virtual time |
//!
//! Codecs, QUIC and where records are kept are features of the crate `rpcnet`.

mod agent;
mod balance;
mod detector;
mod dispatch;
#[cfg(feature = "__internals")]
#[doc(hidden)]
pub mod internals;
pub mod membership;
pub mod metrics;
mod partition;
mod registry;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use agent::{
    ClusterMembership, ClusterMembershipBuilder, Counters, Events, JoinError, Key, KeyError, KeyId, Keyring,
    StateError, UnreadableCounts,
};
#[cfg(feature = "tls")]
pub use agent::{Security, SecurityError};
pub use balance::{Balancer, Candidate, LoadBalancing, Pick, Strategy};
pub use dispatch::{
    AttemptEnd, AttemptReport, CallReport, CircuitBreaker, CircuitError, CircuitState, FailedAttempt,
    FailedAttempts, Resilience, ResilientClient,
};
pub use membership::{ClusterEvent, Generation, Incarnation, MemberView, Node, NodeId, NodeState, TagError};
pub use partition::{Quorum, QuorumRule};
pub use registry::{
    Follow, Health, HealthDashboard, Listed, RegistryEvents, SelectError, Selector, SelectorError, Worker,
    WorkerHealth, WorkerRegistry, health_dashboard,
};

/// What almost every program of a cluster names.
pub mod prelude {
    pub use crate::{ClusterEvent, ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
}
