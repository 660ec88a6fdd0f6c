//! Settings of a registry that follows.

use std::sync::Arc;

use rpcnet::{
    Address,
    transport::{Tcp, Transport},
};

use super::{super::WorkerRegistry, client::Following};
use crate::balance::Balancer;

/// Settings of a registry for whoever is no member, from [`WorkerRegistry::follow`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{LoadBalancing, WorkerRegistry};
///
/// let registry = WorkerRegistry::follow(["127.0.0.1:7000"]).balancing(LoadBalancing::RoundRobin).start();
/// assert_eq!(registry.workers().len(), 0, "nobody is there yet; it goes on looking");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is followed before `start`"]
pub struct Follow {
    addresses: Vec<Address>,
    transport: Arc<dyn Transport>,
    balancer: Balancer,
}

impl Follow {
    pub(in crate::registry) fn new(addresses: Vec<Address>) -> Self {
        Self { addresses, transport: Arc::new(Tcp::loopback()), balancer: Balancer::default() }
    }

    /// How the nodes and the workers are reached, TLS for example; plain TCP on the loopback interface when not set.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Arc::new(transport);
        self
    }

    /// Allows plain TCP beyond the loopback interface, in place of any transport set before. Whoever is on the way can
    /// read and forge calls, and the picture.
    pub fn allow_plaintext(self) -> Self {
        self.transport(Tcp::plaintext())
    }

    /// How calls are balanced; by the default [`LoadBalancing`](crate::LoadBalancing) when not set. Who is no member has no
    /// tags and so no zone: say it by [`Balancer::zone`] where calls should stay in one.
    pub fn balancing(mut self, balancing: impl Into<Balancer>) -> Self {
        self.balancer = balancing.into();
        self
    }

    /// Starts to follow, on a task that ends when the last handle of the registry is gone.
    ///
    /// Returns at once, and the registry is empty and [stale](WorkerRegistry::stale_for) until a node has answered:
    /// [`fresh`](WorkerRegistry::fresh) waits for that, and so does a call that may
    /// [wait for a worker](crate::ResilientClient::wait_for_ready).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> WorkerRegistry {
        let (source, stale) = Following::start(self.addresses, Arc::clone(&self.transport));
        WorkerRegistry::following(source, self.transport, self.balancer).kept_up_by(stale)
    }
}
