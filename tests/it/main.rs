//! Programs a user would write, against the real crates: over a network in memory and in virtual time wherever the claim is
//! not about sockets.

mod calls;
mod cluster;
mod hostile;
mod idempotency;
mod lifecycle;
mod world;
