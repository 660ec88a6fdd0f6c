//! How a registry balances: a strategy for each client, and where home is.

use std::{fmt, sync::Arc};

use super::{LoadBalancing, Strategy};
use crate::membership::NodeId;

/// How calls are balanced over the workers of a registry: the strategy, and the zone that is preferred.
///
/// A [`LoadBalancing`] is one already, for whoever needs no more: it prefers the zone that the registry's own node is
/// tagged with, if it is.
///
/// ```
/// use rpcnet_cluster::{Balancer, LoadBalancing};
///
/// let here = Balancer::new(LoadBalancing::Weighted).zone("eu-1");
/// let anywhere = Balancer::new(LoadBalancing::PeakEwma).any_zone();
/// ```
///
/// # Own zone first
///
/// Calls stay among the workers that are tagged with the own zone (`zone=eu-1`) while these have room: those of them that
/// failed no call of late and have less than 80 % of their capacity in flight from this process. When none of them has, or they
/// are less than half as many as zones have on average, calls go everywhere.
#[derive(Clone)]
pub struct Balancer {
    make: Make,
    home: Home,
}

/// Makes the strategy of one client.
#[derive(Clone)]
enum Make {
    BuiltIn(LoadBalancing),
    Custom(Arc<dyn Fn() -> Box<dyn Strategy> + Send + Sync>),
}

/// Where calls stay if they can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Home {
    /// Nobody has said: in the zone of the registry's own node.
    #[default]
    Unsaid,
    /// Nowhere.
    Anywhere,
    /// In this zone.
    Zone(Arc<str>),
    /// In the zone that this node is tagged with at the time.
    Node(NodeId),
}

impl Balancer {
    /// Balances by one of the built-in strategies.
    pub fn new(balancing: LoadBalancing) -> Self {
        Self { make: Make::BuiltIn(balancing), home: Home::Unsaid }
    }

    /// Balances by a strategy of one's own, made anew for each client.
    pub fn custom<S: Strategy>(strategy: impl Fn() -> S + Send + Sync + 'static) -> Self {
        let make = move || -> Box<dyn Strategy> { Box::new(strategy()) };
        Self { make: Make::Custom(Arc::new(make)), home: Home::Unsaid }
    }

    /// Prefers workers that are tagged with this zone, whatever the own node is tagged with.
    #[must_use]
    pub fn zone(self, zone: impl AsRef<str>) -> Self {
        Self { home: Home::Zone(zone.as_ref().into()), ..self }
    }

    /// Prefers no zone.
    #[must_use]
    pub fn any_zone(self) -> Self {
        Self { home: Home::Anywhere, ..self }
    }

    /// Prefers the zone of this node, if nothing was said of zones.
    pub(crate) fn at(self, node: NodeId) -> Self {
        let home = if self.home == Home::Unsaid { Home::Node(node) } else { self.home };
        Self { home, ..self }
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// A strategy at its beginning.
    pub(super) fn strategy(&self) -> Box<dyn Strategy> {
        match &self.make {
            Make::BuiltIn(balancing) => balancing.strategy(),
            Make::Custom(make) => make(),
        }
    }
}

impl From<LoadBalancing> for Balancer {
    fn from(balancing: LoadBalancing) -> Self {
        Self::new(balancing)
    }
}

impl Default for Balancer {
    /// That of the default [`LoadBalancing`].
    fn default() -> Self {
        Self::new(LoadBalancing::default())
    }
}

impl fmt::Debug for Balancer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strategy: &dyn fmt::Debug = match &self.make {
            Make::BuiltIn(balancing) => balancing,
            Make::Custom(_) => &"custom",
        };
        f.debug_struct("Balancer").field("strategy", strategy).field("home", &self.home).finish()
    }
}
