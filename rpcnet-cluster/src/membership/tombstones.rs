//! What remains of members that were forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::limits::{TELL_EVERY, TOMBSTONES_MAX};
use super::record::Record;
use super::{Generation, Incarnation, NodeId};

/// The versions of forgotten members, so that nobody comes back on old evidence (hashicorp/memberlist#312).
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    stones: BTreeMap<NodeId, Stone>,
    order: VecDeque<NodeId>,
}

#[derive(Clone, Copy, Debug)]
struct Stone {
    version: (Generation, Incarnation),
    /// When the owner was last told of it.
    told: Option<Instant>,
}

impl Tombstones {
    pub(crate) fn add(&mut self, record: &Record) {
        self.remove(record.id);
        if self.order.len() >= TOMBSTONES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.stones.remove(&oldest);
        }
        let version = (record.generation, record.standing.incarnation);
        self.stones.insert(record.id, Stone { version, told: None });
        self.order.push_back(record.id);
    }

    pub(crate) fn covers(&self, record: &Record) -> bool {
        let version = (record.generation, record.standing.incarnation);
        self.stones.get(&record.id).is_some_and(|stone| version <= stone.version)
    }

    /// What to tell the owner of this version of itself, if that is too old; at most once a second.
    pub(crate) fn tell(
        &mut self,
        now: Instant,
        id: NodeId,
        version: (Generation, Incarnation),
    ) -> Option<(Generation, Incarnation)> {
        let stone = self.stones.get_mut(&id).filter(|stone| version <= stone.version)?;
        if stone.told.is_some_and(|at| now.saturating_duration_since(at) < TELL_EVERY) {
            return None;
        }
        stone.told = Some(now);
        Some(stone.version)
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        if self.stones.remove(&id).is_some() {
            self.order.retain(|&held| held != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::table::tests::record;

    #[test]
    fn tombstones_are_bounded_and_the_oldest_goes_first() {
        let mut tombstones = Tombstones::default();
        (0..=TOMBSTONES_MAX as u128).for_each(|number| tombstones.add(&record(number, 1)));
        assert_eq!(tombstones.order.len(), TOMBSTONES_MAX);
        assert!(!tombstones.covers(&record(0, 1)));
        assert!(tombstones.covers(&record(1, 1)));
    }
}
