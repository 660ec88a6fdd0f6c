//! ③ Events become a picture: which workers there are, what they say of themselves, how they are doing.

mod dashboard;
mod events;
mod follow;
mod handle;
mod listed;
mod losses;
mod picture;
mod selector;
mod source;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod worker;

pub use dashboard::{Health, HealthDashboard, WorkerHealth, health_dashboard};
pub use events::RegistryEvents;
pub use follow::Follow;
pub use handle::{SelectError, WorkerRegistry};
pub use listed::Listed;
pub use selector::{Selector, SelectorError};
pub use worker::Worker;

pub(crate) use picture::Snapshot;
pub(crate) use worker::Instance;
