//! Who accuses a member, and on what evidence.

use super::NodeId;
use super::limits::ACCUSERS_MAX;

/// One observer's accusation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accuser {
    pub(crate) id: NodeId,
    /// The process is known to be gone (its port refuses), not merely silent.
    pub(crate) gone: bool,
}

impl Accuser {
    /// Stronger evidence first, then by id: an order all nodes share, so that all keep the same few.
    fn rank(self) -> (bool, NodeId) {
        (!self.gone, self.id)
    }
}

/// The best accusers of one (generation, incarnation), each once.
///
/// Invariant: sorted by rank, ids distinct, at most `ACCUSERS_MAX`. The union of two such sets keeps the best of both,
/// which makes it commutative, associative and idempotent although it forgets the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accusers(Vec<Accuser>);

impl Accusers {
    pub(crate) fn one(id: NodeId, gone: bool) -> Self {
        Self(vec![Accuser { id, gone }])
    }

    pub(crate) fn add(&mut self, accuser: Accuser) {
        match self.0.iter_mut().find(|held| held.id == accuser.id) {
            Some(held) => held.gone |= accuser.gone,
            None => self.0.push(accuser),
        }
        self.0.sort_by_key(|held| held.rank());
        self.0.truncate(ACCUSERS_MAX);
    }

    pub(crate) fn union(&mut self, other: &Self) {
        other.0.iter().for_each(|&accuser| self.add(accuser));
    }

    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.0.iter().any(|held| held.id == id)
    }

    /// How many know the process to be gone.
    pub(crate) fn gone(&self) -> usize {
        self.0.iter().filter(|held| held.gone).count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Accuser> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
