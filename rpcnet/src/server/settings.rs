//! What can be set of a server, apart from what it serves and where.

use std::time::Duration;

use crate::{idempotency::CacheLimits, wire::Limits};

/// See the methods of [`ServerBuilder`](super::builder::ServerBuilder).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) cache: CacheLimits,
    pub(crate) connections_max: usize,
    pub(crate) shutdown_timeout: Duration,
}
