//! The better of two, by how long calls take there.

use std::time::Duration;

use super::{Candidate, Pick, Strategy, load::DECAY};

/// Of two workers drawn at random, the one where a call is expected to take less time: the estimate of its latency times
/// the calls in flight and this one. Of up to four workers, the best of all.
///
/// Two, because the best of all is the same one for every client that looks at the same moment, and because the second
/// choice takes away nearly all of what more choices could (Mitzenmacher, "The Power of Two Choices in Randomized Load
/// Balancing", 2001). Up to four, a scan costs no more than the dice, and two draws often miss the idle one.
#[derive(Debug, Default)]
pub(super) struct PeakEwma {
    /// Choices since the last one that was made to see how a worker is doing.
    since_look: u32,
}

impl PeakEwma {
    const SCAN_MAX: usize = 4;

    /// A worker that had no call for so long is looked at again, whatever its estimate says. The estimate alone takes a
    /// minute and more to fall from a failure to the milliseconds of others.
    const LOOK_AFTER: Duration = DECAY;

    /// At most one call in so many is spent on that: a client of few calls is not to spend many of them.
    const LOOK_EVERY: u32 = 100;
}

impl Strategy for PeakEwma {
    fn pick(&mut self, candidates: &[Candidate<'_>], pick: &mut Pick<'_>) -> usize {
        let count = candidates.len();
        if count == 1 {
            return 0;
        }
        self.since_look = self.since_look.saturating_add(1);
        if count > Self::SCAN_MAX {
            let first = pick.below(count);
            // The rest of the circle after the first: another one for certain.
            let second = (first + 1 + pick.below(count - 1)) % count;
            return self.best(candidates, &[first, second], pick);
        }
        const PLACES: [usize; PeakEwma::SCAN_MAX] = [0, 1, 2, 3];
        self.best(candidates, &PLACES[..count], pick)
    }
}

impl PeakEwma {
    /// The place with the least cost; of equals, any. One call goes to whoever never had one.
    fn best(&mut self, candidates: &[Candidate<'_>], places: &[usize], pick: &mut Pick<'_>) -> usize {
        let mut newcomers = None;
        let (mut best, mut least, mut equals) = (places[0], f64::INFINITY, 0);
        for place in places {
            let candidate = &candidates[*place];
            let reading = candidate.reading();
            if self.since_look >= Self::LOOK_EVERY
                && reading.idle.is_some_and(|idle| idle >= Self::LOOK_AFTER)
            {
                self.since_look = 0;
                return *place;
            }
            let latency = reading.latency.unwrap_or_else(|| {
                let median = *newcomers.get_or_insert_with(|| median(candidates));
                median.max(reading.silence)
            });
            // The median is never the least of several: a client that makes one call at a time would never find out.
            let unheard_of = reading.idle.is_none() && candidate.in_flight() == 0;
            let cost = if unheard_of { 0.0 } else { latency * (f64::from(candidate.in_flight()) + 1.0) };
            if cost < least {
                (best, least, equals) = (*place, cost, 1);
            } else if cost == least {
                equals += 1;
                if pick.below(equals) == 0 {
                    best = *place;
                }
            }
        }
        best
    }
}

/// What to expect of a worker that has not answered yet: as much as of the one in the middle of those that have. When
/// none has, any number does: the calls in flight decide.
fn median(candidates: &[Candidate<'_>]) -> f64 {
    let mut known: Vec<f64> = candidates.iter().filter_map(|candidate| candidate.reading().latency).collect();
    if known.is_empty() {
        return 1.0;
    }
    let middle = known.len() / 2;
    *known.select_nth_unstable_by(middle, f64::total_cmp).1
}
