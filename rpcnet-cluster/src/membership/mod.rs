//! Who is there: the membership protocol as a pure state machine.
//!
//! SWIM's dissemination and refutation (Das et al., DSN 2002), Lifeguard's local health and dynamic suspicion
//! (arXiv 1707.00788), fixed observers on rings as in Rapid (Suresh et al., ATC 2018), and the phi accrual detector
//! (Hayashibara et al., SRDS 2004) over probe round trips. ARCHITECTURE.md says why these and how they meet.
//!
//! Nothing here reads a clock, opens a socket or draws unseeded randomness: see [`Membership`] for the contract.

mod accuse;
mod accusers;
mod apart;
mod config;
mod edge;
mod event;
mod forgotten;
mod gossip;
mod health;
mod held;
mod id;
mod inbound;
mod isolation;
mod join;
mod leave;
mod limits;
mod member;
mod message;
mod node;
mod outbound;
mod output;
mod pool;
mod probe;
mod record;
mod refute;
mod relay;
mod rings;
mod roster;
mod settle;
mod strain;
mod stream;
mod suspicion;
mod sync;
mod table;
mod tags;
mod telling;
#[cfg(test)]
mod tests;
mod tombstones;
mod unreachable;
mod unreadable;

pub use config::{Config, Identity};
pub use event::{ClusterEvent, MemberView, Node, NodeState};
pub use id::{Generation, Incarnation, NodeId};
pub use message::Malformed;
pub use node::Membership;
pub use output::{Output, StreamFailure, StreamId};
#[cfg(feature = "__internals")]
pub use pool::RecordPool;
pub use tags::{DRAINING_TAG, TagError};
pub use unreadable::Unreadable;

pub(crate) use limits::{DATAGRAM_BYTES_MAX, GENERATION_MAX, SEAL_BYTES, STREAM_BYTES_MAX};
pub(crate) use message::{VERSIONS, cluster_of, opening, speaks};
