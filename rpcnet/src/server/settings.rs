//! What can be set of a server, apart from what it serves and where.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{admission::Admission, builder::Server};
use crate::{
    idempotency::{CacheLimits, KeyedGauge, store::Store},
    wire::Limits,
};

/// See the methods of [`ServerBuilder`](super::builder::ServerBuilder).
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) cache: CacheLimits,
    /// Where the records of keyed calls are; in memory when `None`.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) keyed: KeyedGauge,
    pub(crate) connections_max: usize,
    pub(crate) running_max: usize,
    pub(crate) queued_max: usize,
    /// Made when all of this is settled, and shared by whoever looks at it.
    pub(crate) admission: OnceLock<Arc<Admission>>,
    pub(crate) shutdown_timeout: Duration,
    #[cfg(feature = "tower")]
    pub(crate) layers: crate::layer::stack::Layers,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            cache: CacheLimits::default(),
            store: None,
            keyed: KeyedGauge::default(),
            connections_max: Server::CONNECTIONS_MAX_DEFAULT,
            running_max: Server::RUNNING_MAX_DEFAULT,
            queued_max: Server::QUEUED_MAX_DEFAULT,
            admission: OnceLock::new(),
            shutdown_timeout: Server::SHUTDOWN_TIMEOUT_DEFAULT,
            #[cfg(feature = "tower")]
            layers: crate::layer::stack::Layers::default(),
        }
    }
}

impl Settings {
    /// The turns of the server's calls. From now on they are as many as is set.
    pub(crate) fn admission(&self) -> Arc<Admission> {
        Arc::clone(self.admission.get_or_init(|| Admission::new(self.running_max, self.queued_max)))
    }
}
