//! ① The edge: sockets, clock and tasks around the membership state machine, and the handle that programs hold.
//!
//! ```text
//!   ClusterMembership ──commands──▶ driver ──▶ Membership (pure)
//!        ▲  view, events              │ ▲
//!        └──────── published ◀────────┘ │
//!                                       gate: sealed, or plain
//!                                        │ datagrams (UDP) and streams (TCP) of one port number
//! ```

mod builder;
mod counters;
mod driver;
mod events;
mod gate;
mod handle;
mod keyring;
mod log;
mod published;
mod seal;
mod sealed;
#[cfg(feature = "tls")]
mod security;
mod seeds;
mod socket;
mod streams;
#[cfg(test)]
mod tests;

pub use builder::{ClusterMembershipBuilder, JoinError};
pub use counters::{Counters, UnreadableCounts};
pub use events::Events;
pub use handle::ClusterMembership;
pub use keyring::Keyring;
pub use seal::{Key, KeyError, KeyId};
#[cfg(feature = "tls")]
pub use security::{Security, SecurityError};
