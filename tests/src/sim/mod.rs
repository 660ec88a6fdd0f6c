//! A simulator of membership: thousands of nodes in virtual time, on one thread, from one seed.
//!
//! ```text
//!   scenario ──▶ script: start, crash, split, stall, mend …        (data, from the number of nodes and the seed)
//!                  │
//!                  ▼
//!   world: one heap of (time, sequence, node) ─▶ host ─▶ core ─▶ datagrams, streams, changes of its view
//!     ▲                                                              │                  │
//!     └────────────────────────── network: latency, loss, cuts ◀─────┘                  ▼
//!                                                         ledger, measures, invariants, trace
//! ```
//!
//! Whatever speaks [`Core`] runs in it: RpcNet's own state machine, and foca (feature `foca`) as a baseline. Two runs of
//! the same scenario, size and seed have the same trace hash.

mod bits;
mod core;
mod counts;
mod faults;
#[cfg(feature = "foca")]
mod foca;
mod host;
mod invariants;
mod ledger;
mod measure;
mod network;
mod outcome;
mod parting;
mod rpcnet;
mod run;
mod scenarios;
mod schedule;
mod script;
mod seeds;
mod series;
mod story;
mod trace;
mod world;

pub use self::core::{Action, Change, Core, Failure, Kind, Seat, Version};
pub use counts::Counts;
#[cfg(feature = "foca")]
pub use foca::Foca;
pub use invariants::Violation;
pub use outcome::Outcome;
pub use parting::Parted;
pub use rpcnet::Rpcnet;
pub use run::run;
pub use scenarios::{NAMES, Wish, script};
pub use script::{Act, Script, Step};
pub use seeds::overview;
pub use world::World;
