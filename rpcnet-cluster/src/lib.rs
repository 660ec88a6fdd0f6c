//! Many processes: who is there, who is well, and who gets the next call.

mod agent;
mod balance;
mod detector;
mod dispatch;
pub mod membership;
mod registry;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use agent::{ClusterMembership, ClusterMembershipBuilder, Counters, Events, JoinError};
pub use balance::LoadBalancing;
pub use dispatch::{FailedAttempt, FailedAttempts, ResilientClient};
pub use membership::{ClusterEvent, Generation, Incarnation, MemberView, Node, NodeId, NodeState, TagError};
pub use registry::{RegistryEvents, SelectError, Selector, SelectorError, Worker, WorkerRegistry};
