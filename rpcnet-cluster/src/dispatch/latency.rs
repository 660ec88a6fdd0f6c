//! How long a method takes, lately: what a hedge waits for.

use std::time::{Duration, Instant};

/// The times of the last thirty seconds, and the one that 95 % of them were within.
///
/// A histogram whose buckets grow with what they count, as those of HdrHistogram do: sixteen to each power of two
/// microseconds, so that a quantile is too large by at most a sixteenth. 2.5 KiB for each five seconds.
#[derive(Debug)]
pub(crate) struct Latencies {
    slots: [Box<Slot>; Latencies::SLOTS],
    /// Which five seconds are counted now, since `start`.
    current: u64,
    start: Instant,
    /// The last answer, and until when it stands: a quantile over all buckets is too much work for each call.
    known: Option<(Instant, Option<Duration>)>,
}

type Slot = [u32; Latencies::BUCKETS];

impl Latencies {
    /// Thirty seconds: long enough for a hundred calls of a method that is called a few times a second, short enough that a
    /// deployment which made it slower is not hedged for minutes.
    const SLOTS: usize = 6;
    const SLOT: Duration = Duration::from_secs(5);
    /// Of fewer samples, the twentieth slowest is an accident.
    const SAMPLES_MIN: u64 = 100;
    /// For so long a quantile stands.
    const STANDS: Duration = Duration::from_millis(500);
    /// Up to 2³⁶ microseconds, which are nineteen hours.
    const BUCKETS: usize = 16 * 34;

    pub(crate) fn new(now: Instant) -> Self {
        let slots = std::array::from_fn(|_| Box::new([0; Self::BUCKETS]));
        Self { slots, current: 0, start: now, known: None }
    }

    /// A call took so long, or was given up after so long because a faster one had answered.
    pub(crate) fn record(&mut self, now: Instant, took: Duration) {
        self.turn(now);
        let bucket = bucket(took);
        let slot = &mut self.slots[(self.current % Self::SLOTS as u64) as usize];
        slot[bucket] = slot[bucket].saturating_add(1);
    }

    /// The time within which 95 % of the calls ended; nothing as long as there are too few of them.
    pub(crate) fn p95(&mut self, now: Instant) -> Option<Duration> {
        if let Some((_, p95)) = self.known.filter(|(until, _)| now < *until) {
            return p95;
        }
        self.turn(now);
        let p95 = self.quantile();
        // Too few samples are counted anew each time: there is little to count.
        self.known = p95.map(|p95| (now + Self::STANDS, Some(p95)));
        p95
    }

    fn quantile(&self) -> Option<Duration> {
        let sum = |bucket: usize| self.slots.iter().map(|slot| u64::from(slot[bucket])).sum::<u64>();
        let counts: Vec<u64> = (0..Self::BUCKETS).map(sum).collect();
        let total: u64 = counts.iter().sum();
        if total < Self::SAMPLES_MIN {
            return None;
        }
        let rank = (total * 95).div_ceil(100);
        let mut below = 0;
        let found = counts.iter().position(|count| {
            below += count;
            below >= rank
        });
        found.map(upper)
    }

    /// Clears the slots whose time has come round.
    fn turn(&mut self, now: Instant) {
        let slot = now.saturating_duration_since(self.start).as_secs() / Self::SLOT.as_secs();
        let slot = slot.max(self.current);
        let passed = (slot - self.current).min(Self::SLOTS as u64);
        for step in 1..=passed {
            self.slots[((slot - passed + step) % Self::SLOTS as u64) as usize].fill(0);
        }
        self.current = slot;
    }
}

/// Below 16 µs a bucket each; above, the four bits after the highest one tell apart.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if micros < 16 {
        return micros as usize;
    }
    let shift = micros.ilog2() - 4;
    let bucket = (shift as usize + 1) * 16 + ((micros >> shift) & 15) as usize;
    bucket.min(Latencies::BUCKETS - 1)
}

/// The longest time that falls into a bucket.
fn upper(bucket: usize) -> Duration {
    let (shift, low) = (bucket / 16, (bucket % 16) as u64);
    if shift == 0 {
        return Duration::from_micros(low);
    }
    Duration::from_micros(((low + 17) << (shift - 1)) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    proptest! {
        #[test]
        fn a_bucket_holds_what_falls_into_it_and_is_a_sixteenth_wide(micros in 0_u64..50_000_000_000) {
            let end = upper(bucket(Duration::from_micros(micros))).as_micros() as u64;
            prop_assert!(micros <= end && end - micros <= micros / 16, "{micros} is counted as {end}");
        }
    }

    #[test]
    fn the_p95_is_what_nineteen_in_twenty_calls_took() {
        let now = Instant::now();
        let mut latencies = Latencies::new(now);
        for call in 0..100 {
            assert_eq!(latencies.p95(now), None, "{call} calls say nothing yet");
            latencies.record(now, if call % 20 == 0 { ms(1_000) } else { ms(10) });
        }
        let p95 = latencies.p95(now).expect("a hundred calls are enough");
        assert!(p95 >= ms(10) && p95 < ms(11), "{p95:?}");
    }

    #[test]
    fn what_is_older_than_thirty_seconds_is_forgotten() {
        let start = Instant::now();
        let mut latencies = Latencies::new(start);
        (0..200).for_each(|_| latencies.record(start, ms(1_000)));
        let later = start + ms(29_000);
        (0..200).for_each(|_| latencies.record(later, ms(10)));
        assert!(latencies.p95(later).expect("there are enough") >= ms(1_000));
        let much_later = start + ms(30_000);
        assert!(latencies.p95(much_later).expect("there are enough") < ms(11));
        assert_eq!(latencies.p95(start + ms(3_000_000)), None);
    }
}
