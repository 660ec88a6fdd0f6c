//! Calls over real connections on a network in memory, in virtual time.

mod accounting;
mod balancing;
mod breaking;
mod failover;
mod hedging;
mod keyed;
mod pooling;
mod reporting;
mod shedding;
mod typed;
mod world;
