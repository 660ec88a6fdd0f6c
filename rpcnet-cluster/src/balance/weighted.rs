//! Each in proportion to its weight.

use super::{Candidate, Pick, Strategy};
use crate::registry::Instance;

/// Each worker in turn, as often as its weight says, evenly spread: a worker of weight 5 among two of weight 1 comes at
/// every other call or so, not five times in a row.
///
/// Stride scheduling: each worker has a clock that advances by 1/weight with each call, and the one that is furthest
/// behind is next. Unlike a list of turns it bears a field that changes from call to call. Source: Waldspurger and Weihl,
/// "Stride Scheduling: Deterministic Proportional-Share Resource Management", 1995.
#[derive(Debug, Default)]
pub(super) struct Weighted {
    /// By instance, in ascending order, as candidates are.
    pub(super) clocks: Vec<Clock>,
    /// The clock of the last one chosen, before its call. Nobody is behind it: who comes, or comes back, has no arrears.
    time: u128,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    instance: Instance,
    time: u128,
}

impl Weighted {
    /// How far the clock of a worker of weight 1 advances: finer than any weight.
    const STRIDE: u64 = 1 << 40;
    /// Clocks of workers that are not among the candidates are kept up to so many more than there are candidates: a
    /// worker that is out for one call does not lose its place, and those that left do not pile up.
    const ABSENT_MAX: usize = 64;
}

impl Strategy for Weighted {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        if self.clocks.len() > candidates.len() + Self::ABSENT_MAX {
            self.clocks
                .retain(|clock| candidates.iter().any(|candidate| candidate.instance == clock.instance));
        }
        let weighed = candidates.iter().any(|candidate| candidate.weight() > 0);
        let (mut next, mut place) = (0, None);
        for (index, candidate) in candidates.iter().enumerate() {
            next = self.find(candidate, next, pick);
            let ahead =
                place.is_some_and(|(_, at): (usize, usize)| self.clocks[at].time <= self.clocks[next].time);
            if !ahead && (candidate.weight() > 0 || !weighed) {
                place = Some((index, next));
            }
        }
        let (index, at) = place.expect("a strategy is asked only when there is a candidate");
        self.time = self.clocks[at].time;
        self.clocks[at].time += stride(&candidates[index]);
        index
    }
}

impl Weighted {
    /// The place of a candidate's clock, at or after `from`.
    ///
    /// Who comes, and who comes back, begins somewhere in the stride that all are in: clients that begin together must not
    /// all begin with the same worker, and who was away must not be next every time it is back.
    fn find(&mut self, candidate: &Candidate<'_>, from: usize, pick: &mut Pick<'_>) -> usize {
        let behind = self.clocks[from..].iter().take_while(|clock| clock.instance < candidate.instance);
        let at = from + behind.count();
        let known = self.clocks.get(at).is_some_and(|clock| clock.instance == candidate.instance);
        if known && self.clocks[at].time >= self.time {
            return at;
        }
        let time = self.time + (stride(candidate) as f64 * pick.fraction()) as u128;
        if known {
            self.clocks[at].time = time;
        } else {
            self.clocks.insert(at, Clock { instance: candidate.instance, time });
        }
        at
    }
}

/// How far a call advances a worker's clock.
fn stride(candidate: &Candidate<'_>) -> u128 {
    (Weighted::STRIDE / u64::from(candidate.weight().max(1))).into()
}
