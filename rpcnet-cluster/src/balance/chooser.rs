//! A strategy at work.

use super::{Balancer, Candidate, Pick, Strategy, near, slow_start};

/// A strategy at work: what it remembers, and its dice.
#[derive(Debug)]
pub(crate) struct Chooser {
    strategy: Box<dyn Strategy>,
    pub(crate) random: fastrand::Rng,
}

impl Chooser {
    pub(crate) fn new(balancer: &Balancer, random: fastrand::Rng) -> Self {
        Self { strategy: balancer.strategy(), random }
    }

    /// The place of the chosen candidate, out of at least one. `key` is the hash of the call's key.
    pub(crate) fn pick(&mut self, candidates: &[Candidate<'_>], key: Option<u64>) -> usize {
        let near = near::those_with_room(candidates);
        let field = near.as_deref().unwrap_or(candidates);
        let warm = slow_start::thinned(field, key, &mut self.random);
        let field = warm.as_deref().unwrap_or(field);
        let mut pick = Pick { key, random: &mut self.random };
        let place = self.strategy.pick(field, &mut pick) % field.len();
        if near.is_none() && warm.is_none() {
            return place;
        }
        let chosen = field[place].instance;
        let place = candidates.iter().position(|candidate| candidate.instance == chosen);
        place.expect("what was chosen is one of the candidates")
    }
}
