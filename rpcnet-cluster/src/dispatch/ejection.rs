//! A worker that cannot be reached is left alone for a while, and then tried with one connection.
//!
//! ```text
//!         refused: Out(100 ms · 2ⁿ)          its time is over:
//!         lost:    Out(0)                    one call is let through
//!   In ──────────────────────────────► Out ──────────────────────────► Trial
//!    ▲                                  ▲           refused             │ │
//!    │                                  └───────────────────────────────┘ │
//!    └────────────────────────────────────────────────────────────────────┘
//!                                   connected
//! ```

use std::time::{Duration, Instant};

/// Whether a worker may be picked, by what became of the connections to it.
///
/// Gossip needs seconds to find a dead process; the refused connection is known in less than a millisecond. It says
/// nothing to others: this process alone stops picking the worker.
#[derive(Debug, Default)]
pub(crate) struct Ejection {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// It can be reached, or nobody has tried.
    #[default]
    In,
    /// The last `refusals` connections failed; nobody tries before `until`.
    Out { until: Instant, refusals: u32 },
    /// Somebody is trying. Nobody else does before `until`, when the trial is taken for forgotten.
    Trial { until: Instant, refusals: u32 },
}

impl Ejection {
    /// The first period: long enough to spare the calls of a busy second, short enough to be no loss when a server was
    /// just restarting its listener.
    const FIRST: Duration = Duration::from_millis(100);
    /// The longest period. By then gossip has found the worker dead, or this process is the only one that cannot reach it
    /// and looks again at this interval.
    const LONGEST: Duration = Duration::from_secs(10);

    /// Whether the worker may be picked now.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        match self.state {
            State::In => true,
            State::Out { until, .. } | State::Trial { until, .. } => now >= until,
        }
    }

    /// Whether the worker may not be picked now because no connection could be opened to it. One whose connection broke, and
    /// nothing more, may be as well as ever.
    pub(crate) fn is_refused(&self, now: Instant) -> bool {
        match self.state {
            State::In => false,
            State::Out { until, refusals } | State::Trial { until, refusals } => refusals > 0 && now < until,
        }
    }

    /// Whether nobody should try the worker yet, not even once.
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        matches!(self.state, State::Out { until, .. } if now < until)
    }

    /// The worker was picked: if it was out, this is the trial, and until `trial_ends` the only one.
    pub(crate) fn handle_picked(&mut self, now: Instant, trial_ends: Instant) {
        match self.state {
            State::Out { until, refusals } | State::Trial { until, refusals } if now >= until => {
                self.state = State::Trial { until: trial_ends, refusals };
            }
            State::In | State::Out { .. } | State::Trial { .. } => {}
        }
    }

    /// A connection was opened.
    pub(crate) fn handle_connected(&mut self) {
        self.state = State::In;
    }

    /// The connection broke. Whoever is picked next tries to open another, and the rest stay away until it has.
    pub(crate) fn handle_lost(&mut self, now: Instant) {
        if let State::In = self.state {
            self.state = State::Out { until: now, refusals: 0 };
        }
    }

    /// No connection could be opened. `random` in `0.0..1.0` spreads the period by ± 50 %, so that the processes that lost
    /// a worker together do not come back to it together.
    ///
    /// While it is out it is tried only because there is no other. That it cannot be reached then is no news: the period
    /// would else grow with the number of calls, and the first worker that comes back would carry them all for long.
    pub(crate) fn handle_refused(&mut self, now: Instant, random: f64) {
        let refusals = match self.state {
            State::Out { until, .. } if now < until => return,
            State::In => 0,
            State::Out { refusals, .. } | State::Trial { refusals, .. } => refusals,
        };
        let period = Self::FIRST.saturating_mul(2_u32.saturating_pow(refusals)).min(Self::LONGEST);
        self.state =
            State::Out { until: now + period.mul_f64(0.5 + random), refusals: refusals.saturating_add(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How long the worker is out after each of these refusals in a row.
    fn periods(random: f64, refusals: usize) -> Vec<Duration> {
        let (mut ejection, mut now, mut periods) = (Ejection::default(), Instant::now(), Vec::new());
        for _ in 0..refusals {
            ejection.handle_refused(now, random);
            let out = (0..).map(ms).find(|after| ejection.admits(now + *after)).expect("it ends");
            now += out;
            periods.push(out);
        }
        periods
    }

    #[test]
    fn the_first_refusal_ejects_and_each_further_one_for_twice_as_long() {
        assert_eq!(periods(0.5, 9), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].map(ms));
        assert_eq!(periods(0.0, 2), [50, 100].map(ms));
    }

    #[test]
    fn however_many_calls_are_refused_at_once_the_worker_is_out_for_one_period() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        (0..50).for_each(|_| ejection.handle_refused(start, 1.0));
        assert!(ejection.is_out(start + ms(149)) && ejection.admits(start + ms(150)));
    }

    #[test]
    fn a_worker_is_refused_only_when_a_connection_could_not_be_opened() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        ejection.handle_lost(start);
        ejection.handle_picked(start, start + ms(1_000));
        assert!(!ejection.admits(start) && !ejection.is_refused(start), "lost, and somebody is trying");
        ejection.handle_refused(start, 0.5);
        assert!(ejection.is_refused(start + ms(99)) && !ejection.is_refused(start + ms(100)));
        ejection.handle_picked(start + ms(100), start + ms(1_000));
        assert!(ejection.is_refused(start + ms(100)), "the trial has not shown anything yet");
        ejection.handle_connected();
        assert!(!ejection.is_refused(start + ms(100)));
    }

    #[test]
    fn one_call_at_a_time_tries_a_worker_that_was_out() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        ejection.handle_refused(start, 0.5);
        assert!(!ejection.admits(start + ms(99)));
        let trial = start + ms(100);
        assert!(ejection.admits(trial));
        ejection.handle_picked(trial, trial + ms(1_000));
        assert!(!ejection.admits(trial), "the trial is under way");
        assert!(ejection.admits(trial + ms(1_000)), "the trial was forgotten");
    }

    #[test]
    fn a_connection_ends_the_ejection_and_forgets_how_often_it_was() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        (0..5).for_each(|period| ejection.handle_refused(start + ms(10_000) * period, 0.5));
        ejection.handle_connected();
        assert!(ejection.admits(start));
        ejection.handle_refused(start, 0.5);
        assert!(ejection.admits(start + ms(100)));
    }

    #[test]
    fn after_a_lost_connection_the_first_call_finds_out_and_the_others_stay_away() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        ejection.handle_lost(start);
        assert!(ejection.admits(start));
        ejection.handle_picked(start, start + ms(1_000));
        ejection.handle_lost(start);
        assert!(!ejection.admits(start), "the other calls of the lost connection do not end the trial");
        ejection.handle_refused(start, 0.5);
        assert!(!ejection.admits(start + ms(99)) && ejection.admits(start + ms(100)));
    }

    #[test]
    fn picking_a_worker_that_is_in_or_still_out_changes_nothing() {
        let start = Instant::now();
        let mut ejection = Ejection::default();
        ejection.handle_picked(start, start + ms(1_000));
        assert!(ejection.admits(start));
        ejection.handle_refused(start, 0.5);
        ejection.handle_picked(start, start + ms(1_000));
        assert!(ejection.admits(start + ms(100)));
    }
}
