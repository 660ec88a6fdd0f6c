//! What can be set of a server, apart from what it serves and where.

use std::time::Duration;

use super::builder::Server;
use crate::{idempotency::CacheLimits, wire::Limits};

/// See the methods of [`ServerBuilder`](super::builder::ServerBuilder).
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) cache: CacheLimits,
    pub(crate) connections_max: usize,
    pub(crate) shutdown_timeout: Duration,
    #[cfg(feature = "tower")]
    pub(crate) layers: crate::layer::stack::Layers,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            cache: CacheLimits::default(),
            connections_max: Server::CONNECTIONS_MAX_DEFAULT,
            shutdown_timeout: Server::SHUTDOWN_TIMEOUT_DEFAULT,
            #[cfg(feature = "tower")]
            layers: crate::layer::stack::Layers::default(),
        }
    }
}
