//! Calls over real connections on a network in memory, in virtual time.

mod accounting;
mod balancing;
mod failover;
mod pooling;
mod typed;
mod world;
