//! Whether this node is well enough to be given work: it says so itself, in its own record, so that all agree.
//!
//! Who is slow by turns passes every test between its turns. What tells it from the healthy is how often it had to speak
//! up: an accusation refuted, a time in which it did not run. Three such slips in five minutes make it *degraded*, a
//! minute without one ends that.

use std::collections::VecDeque;
use std::time::Instant;

use super::limits::{DEGRADED_CALM, SLIPS, SLIPS_APART, SLIPS_WITHIN};

/// This node's slips.
#[derive(Debug, Default)]
pub(super) struct Strain {
    /// The last few, oldest first.
    slips: VecDeque<Instant>,
    /// The last, whether it counted or not, while it keeps the node degraded.
    last: Option<Instant>,
    degraded: bool,
}

impl Strain {
    /// Something that a healthy node does not do. What comes close upon another is the same slip: who stands still for long is
    /// accused by all its observers, and notices it by itself.
    pub(super) fn slip(&mut self, now: Instant) {
        let apart = |&before: &Instant| now.saturating_duration_since(before) >= SLIPS_APART;
        if self.slips.back().is_none_or(apart) {
            self.slips.push_back(now);
        }
        if self.slips.len() > SLIPS {
            self.slips.pop_front();
        }
        let lately = |first: &Instant| now.saturating_duration_since(*first) < SLIPS_WITHIN;
        self.degraded |= self.slips.len() == SLIPS && self.slips.front().is_some_and(lately);
        self.last = Some(now);
    }

    /// What this node is to say of itself. Slips stay remembered when calm has ended it: the next one within their five
    /// minutes brings it back.
    pub(super) fn is_degraded(&mut self, now: Instant) -> bool {
        if self.next_timeout().is_some_and(|calm| calm <= now) {
            self.degraded = false;
        }
        self.degraded
    }

    /// When calm ends it, if nothing else happens.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.last.filter(|_| self.degraded).map(|last| last + DEGRADED_CALM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Slips at these seconds; whether it is degraded right after each.
    fn after(slips: &[u64]) -> Vec<bool> {
        let (start, mut strain) = (Instant::now(), Strain::default());
        let at = |secs| start + Duration::from_secs(secs);
        let mut degraded = |&slip: &u64| {
            strain.slip(at(slip));
            strain.is_degraded(at(slip))
        };
        slips.iter().map(&mut degraded).collect()
    }

    #[test]
    fn the_third_slip_in_five_minutes_degrades() {
        assert_eq!(after(&[0, 149, 299]), [false, false, true]);
        assert_eq!(after(&[0, 149, 300, 448]), [false, false, false, true]);
    }

    #[test]
    fn what_belongs_together_is_one_slip() {
        assert_eq!(after(&[0, 1, 2, 3, 4]), [false; 5]);
        assert_eq!(after(&[0, 4, 5, 9, 10]), [false, false, false, false, true]);
    }

    #[test]
    fn a_minute_of_calm_ends_it_and_the_next_slip_brings_it_back() {
        let (start, mut strain) = (Instant::now(), Strain::default());
        let at = |secs| start + Duration::from_secs(secs);
        [0, 10, 20, 22].into_iter().for_each(|slip| strain.slip(at(slip)));
        assert_eq!(strain.next_timeout(), Some(at(82)), "calm counts from the last of all");
        assert!(strain.is_degraded(at(81)));
        assert!(!strain.is_degraded(at(82)));
        assert_eq!(strain.next_timeout(), None);
        strain.slip(at(290));
        assert!(strain.is_degraded(at(290)));
        assert!(!strain.is_degraded(at(350)));
        strain.slip(at(800));
        assert!(!strain.is_degraded(at(800)), "that was long ago");
    }
}
