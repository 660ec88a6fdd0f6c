//! What is said of a member, and how two sayings are merged.
//!
//! Merging is a join of a semilattice: commutative, associative and idempotent, so that the order and the number of
//! deliveries cannot matter. Generations order everything; inside one generation the standing (incarnation, state,
//! accusers), the tags and the profile are merged apart, so changing a tag is no refutation and an accusation carries
//! no tags. Only the owner raises generation and incarnation; others raise the state.

use std::net::SocketAddr;
use std::sync::Arc;

use super::accusers::Accusers;
use super::held::Held;
use super::tags::Tags;
use super::{Generation, Incarnation, Node, NodeId, NodeState};

/// The whole of what travels about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: NodeId,
    pub(crate) generation: Generation,
    pub(crate) standing: Standing,
    pub(crate) profile: Profile,
    pub(crate) tags: Tags,
}

/// How a member is doing, in the words of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) incarnation: Incarnation,
    pub(crate) state: NodeState,
    /// Empty unless the state is `Suspect` or `Failed`.
    pub(crate) accusers: Accusers,
    /// The owner says that it is unwell: the same in all that is said of one incarnation.
    pub(crate) degraded: bool,
}

/// What does not change within a generation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Profile {
    pub(crate) addr: SocketAddr,
    pub(crate) rpc_addr: Option<SocketAddr>,
    pub(crate) label: Arc<str>,
    pub(crate) capacity: u32,
}

/// News about a member as it travels: the whole record, or its standing only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    Full(Held),
    Brief { id: NodeId, generation: Generation, standing: Standing },
}

/// What a merge changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) generation: bool,
    pub(crate) standing: bool,
    pub(crate) tags: bool,
}

impl Change {
    pub(crate) fn any(self) -> bool {
        self.generation || self.standing || self.tags
    }
}

impl Record {
    /// Takes in another saying about the same member.
    pub(crate) fn merge(&mut self, other: &Self) -> Change {
        debug_assert_eq!(self.id, other.id, "records of two members are never merged");
        if other.generation != self.generation {
            return self.replace_if_newer(other);
        }
        let standing = self.standing.merge(&other.standing);
        let tags = other.tags > self.tags;
        if tags {
            self.tags = other.tags.clone();
        }
        // One owner writes one profile a generation; should two processes share an id, all must still agree.
        let profile = other.profile > self.profile;
        if profile {
            self.profile = other.profile.clone();
        }
        Change { generation: false, standing, tags: tags || profile }
    }

    fn replace_if_newer(&mut self, other: &Self) -> Change {
        if other.generation < self.generation {
            return Change::default();
        }
        *self = other.clone();
        Change { generation: true, standing: true, tags: true }
    }

    pub(crate) fn node(&self) -> Node {
        Node {
            id: self.id,
            label: Arc::clone(&self.profile.label),
            addr: self.profile.addr,
            rpc_addr: self.profile.rpc_addr,
            capacity: self.profile.capacity,
            tags: Arc::clone(&self.tags.map),
            generation: self.generation,
            incarnation: self.standing.incarnation,
            degraded: self.standing.degraded,
        }
    }

    pub(crate) fn brief(&self) -> Update {
        Update::Brief { id: self.id, generation: self.generation, standing: self.standing.clone() }
    }
}

impl Standing {
    pub(crate) fn alive(incarnation: Incarnation) -> Self {
        Self { incarnation, state: NodeState::Alive, accusers: Accusers::default(), degraded: false }
    }

    /// SWIM's precedence: the later incarnation, else the graver state; accusers of one incarnation add up.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if other.incarnation < self.incarnation {
            return false;
        }
        let before = self.clone();
        if other.incarnation > self.incarnation {
            *self = other.clone();
        } else {
            self.state = self.state.max(other.state);
            self.accusers.union(&other.accusers);
            // Should two processes share an id, all must still agree.
            self.degraded |= other.degraded;
        }
        self.normalise();
        *self != before
    }

    /// Nobody accuses the living, and a farewell ends all accusations.
    pub(crate) fn normalise(&mut self) {
        if matches!(self.state, NodeState::Alive | NodeState::Left) {
            self.accusers.clear();
        }
    }
}

impl Update {
    pub(crate) fn id(&self) -> NodeId {
        match self {
            Self::Full(record) => record.id,
            Self::Brief { id, .. } => *id,
        }
    }

    pub(crate) fn generation(&self) -> Generation {
        match self {
            Self::Full(record) => record.generation,
            Self::Brief { generation, .. } => *generation,
        }
    }

    pub(crate) fn standing(&self) -> &Standing {
        match self {
            Self::Full(record) => &record.standing,
            Self::Brief { standing, .. } => standing,
        }
    }

    /// Says of the state what it did not.
    pub(crate) fn set_state(&mut self, state: NodeState) {
        match self {
            Self::Full(held) => {
                let mut record = Record::clone(held);
                record.standing.state = state;
                *held = record.into();
            }
            Self::Brief { standing, .. } => standing.state = state,
        }
    }
}
