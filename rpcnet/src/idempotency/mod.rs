//! Repeated request ids: one execution, and its answer to whoever asks again; or an honest "not known".
//!
//! ```text
//!            begin                complete
//! (absent) ─────────▶ InFlight ───────────────▶ Answered ──▶ Completed    the answer, then the fact, for `window`
//!     ▲                  │ │     panic, aborted
//!     │  nothing ran     │ └──────────────────▶ Unknown                   what it did is not known, for `window`
//!     └──────────────────┘
//! ```
//!
//! | event | answer |
//! |---|---|
//! | the same request while it runs | attaches, with its own deadline; one that gives up ends nothing |
//! | the first caller goes away | it runs on; in the queue of [`running_max`](crate::ServerBuilder::running_max) it is as if it had not come |
//! | the same request when it has ended | the same bytes; the method's own `Err` is an answer like any other |
//! | other arguments under its id, running or ended | `RequestIdReused`, nothing runs |
//! | it panicked or was aborted | `OutcomeUnknown`, or runs again if the method says `on_unknown = "rerun"` |
//! | its answer was too large or made room | `AlreadyCompleted` |
//! | it was shed, denied, or did not decode | as if it had not come: nothing ran |
//! | a repeat from before all that is remembered | `DedupHorizonLost`, nothing runs |
//! | there is no room for a new one | `Overloaded`; [`WhenFull::BestEffort`] forgets what ended first instead |
//!
//! `table` has the rules in memory and is pure; `cache` those who wait; `store` is what else records can be kept in, asked by
//! `held` for what does not run here.

mod answers;
mod cache;
mod held;
mod key;
mod limits;
mod outcome;
mod repeat;
pub mod store;
mod table;

pub(crate) use self::{
    cache::{Begin, Cache, Keyed, Ticket},
    held::{Claiming, RecordOf},
    key::Key,
    repeat::Repeat,
};
pub use self::{
    cache::{KeyedGauge, KeyedStats},
    limits::{CacheLimits, WhenFull},
};
