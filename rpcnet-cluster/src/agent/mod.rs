//! ① The edge: sockets, clock and tasks around the membership state machine, and the handle that programs hold.
//!
//! ```text
//!   ClusterMembership ──commands──▶ driver ──▶ Membership (pure)
//!        ▲  view, events              │ ▲
//!        └──────── published ◀────────┘ │
//!                                       gate: sealed, or plain
//!                                        │ datagrams (UDP) and streams (TCP) of one port number
//! ```

mod bound;
mod builder;
mod counters;
mod drain;
mod driver;
mod events;
mod gate;
mod handle;
mod join_error;
mod keyring;
mod log;
pub(crate) mod lookups;
mod published;
mod quorum;
mod seal;
mod sealed;
#[cfg(feature = "tls")]
mod security;
pub(crate) mod seeds;
mod socket;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod udp;
#[cfg(target_os = "linux")]
mod unreachable;

pub use builder::ClusterMembershipBuilder;
pub use counters::{Counters, UnreadableCounts};
pub use events::Events;
#[cfg(feature = "__internals")]
pub(crate) use gate::Gate;
pub use handle::ClusterMembership;
pub use join_error::JoinError;
pub use keyring::Keyring;
pub use seal::{Key, KeyError, KeyId};
#[cfg(feature = "tls")]
pub use security::{Security, SecurityError};
pub use state::StateError;
