//! ① The edge: sockets, clock and tasks around the membership state machine, and the handle that programs hold.
//!
//! ```text
//!   ClusterMembership ──commands──▶ driver ──▶ Membership (pure)
//!        ▲  view, events              │ ▲
//!        └──────── published ◀────────┘ │ datagrams (UDP) and streams (TCP) of one port number
//! ```

mod builder;
mod counters;
mod driver;
mod events;
mod handle;
mod published;
mod seeds;
mod socket;
mod streams;
#[cfg(test)]
mod tests;

pub use builder::{ClusterMembershipBuilder, JoinError};
pub use counters::Counters;
pub use events::Events;
pub use handle::ClusterMembership;
