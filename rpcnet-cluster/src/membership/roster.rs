//! The live members except oneself, always in shuffled order: random peers and a complete round in one list.

use fastrand::Rng;

use super::NodeId;

/// A shuffled list with a cursor that goes round it (SWIM §4.3: everybody is met within two rounds).
#[derive(Debug, Default)]
pub(crate) struct Roster {
    ids: Vec<NodeId>,
    cursor: usize,
}

impl Roster {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a member that is not in the list.
    pub(crate) fn insert(&mut self, id: NodeId, rng: &mut Rng) {
        debug_assert!(
            !self.ids.contains(&id),
            "the table adds a member when it becomes visible, which happens once"
        );
        // The inside-out shuffle: every order stays equally likely.
        let place = rng.usize(..=self.ids.len());
        if self.ids.len() == self.ids.capacity() {
            // By an eighth, not to the double: there is one of these lists on every node, and it seldom grows.
            self.ids.reserve_exact(self.ids.len() / 8 + 8);
        }
        self.ids.push(id);
        let last = self.ids.len() - 1;
        self.ids.swap(place, last);
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        if let Some(place) = self.ids.iter().position(|&held| held == id) {
            self.ids.swap_remove(place);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.ids.iter().copied()
    }

    /// The next member of the round; reshuffled at its end.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<NodeId> {
        if self.cursor >= self.ids.len() {
            self.cursor = 0;
            rng.shuffle(&mut self.ids);
        }
        let id = self.ids.get(self.cursor).copied();
        self.cursor += 1;
        id
    }

    /// Up to `count` distinct random members that `eligible` allows. Looks at four times as many at most, so that a
    /// long list of unsuitable members costs no walk over all.
    pub(crate) fn sample(
        &self,
        count: usize,
        rng: &mut Rng,
        mut eligible: impl FnMut(NodeId) -> bool,
    ) -> Vec<NodeId> {
        let mut chosen = Vec::with_capacity(count.min(self.ids.len()));
        if self.ids.is_empty() {
            return chosen;
        }
        // A random start and a walk over a shuffled list: distinct without a set of what was seen.
        let start = rng.usize(..self.ids.len());
        let looked_at = self.ids.len().min(4 * count + 8);
        for offset in 0..looked_at {
            let id = self.ids[(start + offset) % self.ids.len()];
            if chosen.len() < count && eligible(id) {
                chosen.push(id);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_round_meets_everybody_once() {
        let mut rng = Rng::with_seed(1);
        let mut roster = Roster::default();
        let all: Vec<_> = (0..9).map(|number| NodeId::new(Uuid::from_u128(number))).collect();
        all.iter().for_each(|&id| roster.insert(id, &mut rng));
        let mut met: Vec<_> = (0..9).filter_map(|_| roster.next(&mut rng)).collect();
        met.sort();
        assert_eq!(met, all);
    }

    #[test]
    fn a_sample_is_distinct_and_eligible() {
        let mut rng = Rng::with_seed(2);
        let mut roster = Roster::default();
        (0..30).for_each(|number| roster.insert(NodeId::new(Uuid::from_u128(number)), &mut rng));
        let mut sample = roster.sample(3, &mut rng, |id| id.as_uuid().as_u128() % 2 == 0);
        sample.sort();
        sample.dedup();
        assert_eq!(sample.len(), 3);
        assert!(sample.iter().all(|id| id.as_uuid().as_u128() % 2 == 0));
    }
}
