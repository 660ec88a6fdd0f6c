//! How well this node itself is: a sick observer waits longer, and one that was stalled judges nobody for a while.

use std::time::{Duration, Instant};

use super::limits::{GRACE_MAX, HEALTH_MAX};

/// Lifeguard's local health, 0 (well) to 8.
///
/// It must not rise because a *subject* is dead: a direct probe without an answer counts only if no helper replied
/// either. Counting every failed probe makes half a cluster slow to see the other half go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health(u8);

impl Health {
    pub(crate) fn worse(&mut self) {
        self.0 = (self.0 + 1).min(HEALTH_MAX);
    }

    pub(crate) fn better(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    pub(crate) fn value(self) -> u8 {
        self.0
    }
}

/// The node's own tick, by which it notices that it did not run.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last_tick: Option<Instant>,
    /// The present stall was noticed already.
    noticed: bool,
    grace_until: Option<Instant>,
}

impl Clock {
    /// Called with every input, before anything else. Returns whether a stall was noticed just now: more than two
    /// intervals without a tick.
    pub(crate) fn observe(&mut self, now: Instant, interval: Duration) -> bool {
        let Some(last) = self.last_tick else { return false };
        let gap = now.saturating_duration_since(last);
        if self.noticed || gap <= interval * 2 {
            return false;
        }
        self.noticed = true;
        self.grace_until = Some(now + gap.min(GRACE_MAX));
        true
    }

    pub(crate) fn tick(&mut self, now: Instant) {
        self.last_tick = Some(now);
        self.noticed = false;
    }

    /// When the next tick is due.
    pub(crate) fn next_tick(&self, interval: Duration) -> Option<Instant> {
        self.last_tick.map(|last| last + interval)
    }

    /// The end of the grace, while it lasts: pings and acks go on, nobody is accused, no suspicion expires.
    pub(crate) fn grace(&self, now: Instant) -> Option<Instant> {
        self.grace_until.filter(|&until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_stays_between_well_and_worst() {
        let mut health = Health::default();
        health.better();
        assert_eq!(health.value(), 0);
        (0..20).for_each(|_| health.worse());
        assert_eq!(health.value(), HEALTH_MAX);
        health.better();
        assert_eq!(health.value(), HEALTH_MAX - 1);
    }

    #[test]
    fn a_stall_is_noticed_once_and_opens_a_grace_as_long_as_it_was() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut clock = Clock::default();
        clock.tick(start);
        assert!(!clock.observe(start + second * 2, second));
        let woken = start + second * 4;
        assert!(clock.observe(woken, second));
        assert!(!clock.observe(woken + Duration::from_millis(1), second));
        assert_eq!(clock.grace(woken), Some(woken + second * 4));
        assert_eq!(clock.grace(woken + second * 4), None);
    }

    #[test]
    fn a_long_stall_is_not_excused_for_as_long() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut clock = Clock::default();
        clock.tick(start);
        assert!(clock.observe(start + second * 600, second));
        assert_eq!(clock.grace(start + second * 604), Some(start + second * 605));
    }
}
