//! What became of the last calls: what a circuit breaker judges by.

use std::time::{Duration, Instant};

use super::breaker::Limits;

/// Successes and failures of the last thirty seconds, and the failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct Record {
    slots: [Slot; Record::SLOTS],
    /// The slot that is counted now, and when it began.
    current: Option<(usize, Instant)>,
    row: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    good: u32,
    bad: u32,
}

impl Record {
    /// Thirty seconds: long enough for twenty calls of a client that makes one a second.
    const SLOTS: usize = 6;
    const SLOT: Duration = Duration::from_secs(5);

    pub(crate) fn add(&mut self, now: Instant, good: bool) {
        let slot = self.slot(now);
        if good {
            slot.good = slot.good.saturating_add(1);
            self.row = 0;
        } else {
            slot.bad = slot.bad.saturating_add(1);
            self.row = self.row.saturating_add(1);
        }
    }

    /// Whether it is reason enough to stop calling.
    pub(crate) fn is_bad(&mut self, now: Instant, limits: &Limits) -> bool {
        self.slot(now);
        let good: u32 = self.slots.iter().map(|slot| slot.good).sum();
        let calls = good + self.slots.iter().map(|slot| slot.bad).sum::<u32>();
        let share = f64::from(good) < limits.success_share_min * f64::from(calls);
        // A success is no reason to open, though the share may still be low.
        self.row > 0 && (self.row >= limits.failures_in_a_row || calls >= limits.calls_min && share)
    }

    /// The slot of this moment; those whose time has come round are cleared.
    fn slot(&mut self, now: Instant) -> &mut Slot {
        let (mut at, mut begun) = self.current.unwrap_or((0, now));
        let passed = now.saturating_duration_since(begun).as_millis() / Self::SLOT.as_millis();
        for _ in 0..passed.min(Self::SLOTS as u128) {
            at = (at + 1) % Self::SLOTS;
            self.slots[at] = Slot::default();
        }
        if passed > Self::SLOTS as u128 {
            begun = now;
        } else {
            begun += Self::SLOT * passed as u32;
        }
        self.current = Some((at, begun));
        &mut self.slots[at]
    }
}
