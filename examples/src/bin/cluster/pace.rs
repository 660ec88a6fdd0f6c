//! How many calls are due: first as many as the machine answers, then half of that.

use std::time::Duration;

/// Calls a second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Rate(f64);

impl Rate {
    /// Slower shows nothing: the killed worker would hardly ever have a call in flight.
    const LEAST: f64 = 20.0;
    /// Faster than one process can check the answers.
    const MOST: f64 = 20_000.0;

    /// Half of what was answered in a stretch of time in which calls were made as fast as they were answered.
    ///
    /// Half, because the workers that are left must be able to carry the load of the one that is killed.
    pub(crate) fn half_of(answered: u64, stretch: Duration) -> Self {
        let per_second = answered as f64 / stretch.as_secs_f64().max(0.001);
        Self((per_second / 2.0).clamp(Self::LEAST, Self::MOST))
    }

    pub(crate) fn per_second(self) -> f64 {
        self.0
    }
}

/// Says at each tick how many calls to begin.
#[derive(Debug)]
pub(crate) struct Pacer {
    rate: Rate,
    /// What is due and not begun: less than one call, unless ticks were missed.
    owed: f64,
}

impl Pacer {
    /// The time between two ticks. So long that some calls come at once, as they do from real clients, and a worker has
    /// more than one to do.
    pub(crate) const TICK: Duration = Duration::from_millis(10);

    /// The calls of a longer pause are not made up for: a machine that stood still has no less to do than before.
    const MADE_UP_FOR: Duration = Duration::from_millis(50);

    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, owed: 0.0 }
    }

    /// How many calls to begin, so long after the last tick.
    pub(crate) fn due(&mut self, since_last: Duration) -> usize {
        self.owed += self.rate.per_second() * since_last.min(Self::MADE_UP_FOR).as_secs_f64();
        let whole = self.owed.floor();
        self.owed -= whole;
        whole as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_half_of_what_was_answered_within_reason() {
        assert_eq!(Rate::half_of(1500, Duration::from_millis(1500)), Rate(500.0));
        assert_eq!(Rate::half_of(0, Duration::from_secs(1)), Rate(Rate::LEAST));
        assert_eq!(Rate::half_of(0, Duration::ZERO), Rate(Rate::LEAST));
        assert_eq!(Rate::half_of(u64::MAX, Duration::from_secs(1)), Rate(Rate::MOST));
    }

    #[test]
    fn a_second_of_ticks_begins_a_second_of_calls() {
        let mut pacer = Pacer::new(Rate(333.0));
        let begun: usize = (0..100).map(|_| pacer.due(Pacer::TICK)).sum();
        assert!((332..=333).contains(&begun), "{begun}");
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pacer = Pacer::new(Rate(1000.0));
        assert_eq!(pacer.due(Duration::from_secs(5)), 50);
        assert_eq!(pacer.due(Pacer::TICK), 10);
    }
}
