//! A registry for those who have no cluster: the workers are a list, of addresses or of names that are resolved again.

mod names;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use rpcnet::transport::{Tcp, Transport};

use self::names::Names;
use super::WorkerRegistry;
use crate::{
    agent::lookups::{Resolver, System},
    balance::Balancer,
};

/// Settings of a registry whose workers are a list, from [`WorkerRegistry::listed`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::WorkerRegistry;
///
/// let registry = WorkerRegistry::listed(["127.0.0.1:7001", "127.0.0.1:7002"]).tag("role", "worker").start();
/// assert_eq!(registry.workers().len(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nobody is listed before `start`"]
pub struct Listed {
    names: Vec<String>,
    tags: BTreeMap<String, String>,
    capacity: u32,
    transport: Arc<dyn Transport>,
    balancer: Balancer,
    resolver: Arc<dyn Resolver>,
}

impl Listed {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            names,
            tags: BTreeMap::new(),
            capacity: 0,
            transport: Arc::new(Tcp::loopback()),
            balancer: Balancer::default(),
            resolver: Arc::new(System),
        }
    }

    /// What is said of each of the workers, for selectors such as `role=worker`: nobody else says it.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// How many calls each of the workers wants to carry at once; 0, which is not said, when not set. For strategies that
    /// weigh by it, and for [`CallOptions::max_load`](rpcnet::CallOptions::max_load).
    pub fn capacity(mut self, calls: u32) -> Self {
        self.capacity = calls;
        self
    }

    /// How the workers are reached, TLS for example; plain TCP on the loopback interface when not set.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Arc::new(transport);
        self
    }

    /// Allows plain TCP beyond the loopback interface, in place of any transport set before. Whoever is on the way can
    /// read and forge calls.
    pub fn allow_plaintext(self) -> Self {
        self.transport(Tcp::plaintext())
    }

    /// How calls are balanced; by the default [`LoadBalancing`](crate::LoadBalancing) when not set.
    pub fn balancing(mut self, balancing: impl Into<Balancer>) -> Self {
        self.balancer = balancing.into();
        self
    }

    #[cfg(test)]
    fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Starts the registry, on a task that ends when the last handle of it is gone.
    ///
    /// Returns at once. Addresses are in it from the beginning; names once they are resolved, for which a call may
    /// [wait](crate::ResilientClient::wait_for_ready).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> WorkerRegistry {
        let names = Names::new(self.names, self.tags, self.capacity, self.resolver);
        WorkerRegistry::following(names, self.transport, self.balancer)
    }
}
