//! Who a process is: an id for ever, a generation for each start, an incarnation for each refutation.

use std::fmt;

use uuid::Uuid;

/// A process's name in the cluster, the same across restarts when the operator keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Uuid);

impl NodeId {
    /// The node with this UUID.
    ///
    /// ```
    /// use rpcnet_cluster::NodeId;
    /// let id = NodeId::new(uuid::Uuid::from_u128(7));
    /// assert_eq!(id.as_uuid().as_u128(), 7);
    /// ```
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID inside.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl From<Uuid> for NodeId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for NodeId {
    /// The first eight digits: enough to tell nodes apart in a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0.as_fields().0)
    }
}

/// Which start of the process this is: `max(persisted + 1, wall-clock milliseconds)`, chosen by the driver.
///
/// It orders two processes that used the same [`NodeId`]: the later one wins, whatever else is known of the earlier.
///
/// ```
/// use rpcnet_cluster::Generation;
///
/// // The process that was started later speaks for the node.
/// assert!(Generation(1_700_000_000_001) > Generation(1_700_000_000_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

impl Generation {
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// How often the owner has refuted an accusation in this generation. Only the owner raises it.
///
/// ```
/// use rpcnet_cluster::Incarnation;
///
/// assert_eq!(Incarnation::default(), Incarnation(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

impl Incarnation {
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
