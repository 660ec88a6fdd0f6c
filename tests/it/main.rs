//! Programs a user would write, against the real crates: over a network in memory and in virtual time wherever the claim is
//! not about sockets.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod calls;
mod channel;
mod cluster;
mod codecs;
mod dashboard;
mod drain;
mod errors;
mod files;
mod fingerprint;
mod hostile;
mod idempotency;
mod kinds;
mod layers;
mod lifecycle;
mod metrics;
mod overload;
mod partitions;
mod planted;
mod plots;
mod quic;
#[cfg(unix)]
mod readers;
mod reference;
mod rows;
mod schema;
mod settings;
mod shared_records;
mod simulator;
mod splits;
mod storms;
mod threads;
mod tls;
mod twins;
#[cfg(unix)]
mod unix;
mod world;
