//! What this process has seen of a worker's load. Pure: the time is an argument.
//!
//! The estimate is a *peak* EWMA: a slow answer raises it at once, quick answers lower it over ten seconds. Whoever slows
//! down is left alone after its first slow answers, and has to be quick for a while to be believed again. Source: the load
//! metric of Twitter's Finagle, <https://twitter.github.io/finagle/guide/Clients.html#p2c-peakewma>.
//!
//! Three departures, each because a call that does not come back teaches an average nothing:
//!
//! - a failure counts as a slow answer, or the worker that fails fastest would look best;
//! - what was given up counts with the time it had taken, if that is more than the estimate;
//! - while calls are in flight and none of them ends, that silence is the estimate as soon as it is longer.
//!
//! And one because whoever is left alone could not show for minutes that it has recovered: the first answer after ten seconds
//! without a call takes the place of what was known before.

use std::time::{Duration, Instant};

/// How long ago counts: after this time without a sample an estimate has fallen to 1/e.
///
/// Finagle's default. Long enough that a worker which is slow every few seconds does not look well in between, short enough
/// that one which has recovered is not left alone for minutes.
pub(crate) const DECAY: Duration = Duration::from_secs(10);

/// What a failure counts at least: longer than nearly any answer, so that whoever fails comes after all who do not.
pub(crate) const FAILURE: Duration = Duration::from_secs(5);

/// The most failures that count as calls in flight: beyond this it only takes longer to forget them.
const FAILING_MAX: f64 = 64.0;

/// How many times as long as it usually takes a worker must have had, for a call that ran out of time to be the
/// worker's failure and not its caller's impatience.
const OVERDUE: f64 = 2.0;

/// How an attempt ended, for the load of its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered, with the method's own error maybe.
    Answered,
    /// The worker failed it, or was too busy to take it, and said when to come again.
    Failed { hint: Option<Duration> },
    /// Its time was over.
    TimedOut,
    /// Nobody waits for it any more: cancelled, or another worker was quicker.
    GivenUp,
    /// It says nothing about the worker: the call itself was wrong, or never arrived.
    Ignored,
}

/// The load of one worker, as its calls from this process have shown it.
///
/// Tell it of each attempt that is sent, by [`handle_begun`](Self::handle_begun), and of its end, by
/// [`handle_ended`](Self::handle_ended). Times that run backwards are taken as standing still.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load {
    /// Attempts begun and not ended.
    pending: u32,
    /// Since when attempts are pending and none has ended. Whatever was pending then still is.
    silent_since: Option<Instant>,
    begun_last: Option<Instant>,
    /// Whether nothing was in flight for [`DECAY`] before what is pending now: its answer then stands for itself.
    stale: bool,
    peak: Option<Average>,
    /// The mean of what was answered, without peaks and failures.
    usual: Option<Average>,
    failing: Failing,
}

/// What a strategy wants to know of a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// The estimate in seconds; `None` before the first attempt has shown anything.
    pub(crate) latency: Option<f64>,
    /// For how many seconds attempts have been in flight and none has ended; part of the estimate, if there is one.
    pub(crate) silence: f64,
    /// How long nothing was sent; `None` if nothing ever was.
    pub(crate) idle: Option<Duration>,
}

impl Load {
    /// An attempt is sent.
    pub(crate) fn handle_begun(&mut self, now: Instant) {
        if self.pending == 0 {
            self.silent_since = Some(now);
            self.stale = self.begun_last.is_some_and(|begun| now.saturating_duration_since(begun) >= DECAY);
        }
        self.pending += 1;
        self.begun_last = Some(now);
    }

    /// An attempt that was begun has ended, after this time.
    pub(crate) fn handle_ended(&mut self, now: Instant, took: Duration, end: End) {
        self.pending = self.pending.saturating_sub(1);
        self.silent_since = (self.pending > 0).then_some(now);
        let took = took.as_secs_f64();
        match end {
            End::Answered => self.handle_answered(now, took),
            End::Failed { hint } => self.handle_failed(now, took, hint.unwrap_or_default()),
            End::TimedOut if self.is_overdue(took) => self.handle_failed(now, took, Duration::ZERO),
            End::TimedOut | End::GivenUp => self.handle_at_least(now, took),
            End::Ignored => {}
        }
    }

    /// What is known now.
    pub(crate) fn reading(&self, now: Instant) -> Reading {
        let silence = self.silent_since.map_or(0.0, |since| seconds(since, now));
        Reading {
            latency: self.peak.as_ref().map(|peak| peak.decayed(now).max(silence)),
            silence,
            idle: self.begun_last.map(|begun| now.saturating_duration_since(begun)),
        }
    }

    /// Failures of late, each one call that is in flight for [`FAILURE`].
    pub(crate) fn failing(&self, now: Instant) -> u32 {
        self.failing.count(now)
    }

    fn handle_answered(&mut self, now: Instant, took: f64) {
        Average::take(&mut self.usual, now, took);
        if std::mem::take(&mut self.stale) || self.decayed(now) < took {
            self.peak = Some(Average { value: took, at: now });
        } else {
            Average::take(&mut self.peak, now, took);
        }
    }

    fn handle_failed(&mut self, now: Instant, took: f64, hint: Duration) {
        let counts = FAILURE.max(hint);
        self.handle_at_least(now, took.max(counts.as_secs_f64()));
        self.failing.add(now, counts.as_secs_f64() / FAILURE.as_secs_f64());
    }

    fn handle_at_least(&mut self, now: Instant, took: f64) {
        if self.decayed(now) < took {
            self.peak = Some(Average { value: took, at: now });
        }
    }

    fn is_overdue(&self, took: f64) -> bool {
        self.usual.as_ref().is_some_and(|usual| took >= OVERDUE * usual.value)
    }

    fn decayed(&self, now: Instant) -> f64 {
        self.peak.as_ref().map_or(0.0, |peak| peak.decayed(now))
    }
}

/// An exponentially weighted moving average of times, in seconds, whose samples come when they like.
#[derive(Debug, Clone, Copy)]
struct Average {
    value: f64,
    at: Instant,
}

impl Average {
    /// Takes in a sample; the first one is the average.
    fn take(average: &mut Option<Self>, now: Instant, sample: f64) {
        let value = match average {
            Some(average) => {
                let kept = average.kept(now);
                average.value * kept + sample * (1.0 - kept)
            }
            None => sample,
        };
        *average = Some(Self { value, at: now });
    }

    /// The average, fallen towards zero since its last sample: so a worker that is left alone gets its next chance.
    fn decayed(&self, now: Instant) -> f64 {
        self.value * self.kept(now)
    }

    fn kept(&self, now: Instant) -> f64 {
        exp_minus(seconds(self.at, now) / DECAY.as_secs_f64())
    }
}

/// Failures of late, for strategies that count calls in flight: each counts as one for [`FAILURE`], by falling to a half
/// in that time.
#[derive(Debug, Clone, Copy, Default)]
struct Failing {
    count: f64,
    at: Option<Instant>,
}

impl Failing {
    fn add(&mut self, now: Instant, failures: f64) {
        *self = Self { count: (self.left(now) + failures).min(FAILING_MAX), at: Some(now) };
    }

    /// To the nearest whole number: what is left of failures long ago must not decide between equals.
    fn count(&self, now: Instant) -> u32 {
        libm::round(self.left(now)) as u32
    }

    fn left(&self, now: Instant) -> f64 {
        let Some(at) = self.at else { return 0.0 };
        self.count * libm::exp2(-seconds(at, now) / FAILURE.as_secs_f64())
    }
}

/// `e` to the power of `-x`, which is not negative. Of a busy worker the last sample is microseconds old: there the first terms of
/// the series are exact to twelve digits, and every call asks this for every worker that it could go to.
fn exp_minus(x: f64) -> f64 {
    if x < 1e-4 { 1.0 - x + x * x / 2.0 } else { libm::exp(-x) }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A load that was told of attempts one after the other, and the time after them.
    fn after(attempts: &[(u64, End)]) -> (Load, Instant) {
        let (mut load, mut now) = (Load::default(), Instant::now());
        for (took, end) in attempts {
            load.handle_begun(now);
            now += ms(*took);
            load.handle_ended(now, ms(*took), *end);
        }
        (load, now)
    }

    fn latency(load: &Load, now: Instant) -> u64 {
        libm::round(load.reading(now).latency.unwrap_or(0.0) * 1e3) as u64
    }

    #[test]
    fn the_short_way_to_a_power_is_as_good_as_the_long_one() {
        for x in [0.0, 1e-9, 1e-6, 9.9e-5, 1e-4, 1e-3, 1.0, 800.0] {
            assert!((exp_minus(x) - libm::exp(-x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn a_slow_answer_counts_at_once_and_quick_ones_bring_it_down_within_the_decay() {
        let (mut load, start) = after(&[(10, End::Answered), (500, End::Answered)]);
        assert_eq!(latency(&load, start), 500);
        let mut now = start;
        for _ in 0..1_000 {
            load.handle_begun(now);
            now += ms(10);
            load.handle_ended(now, ms(10), End::Answered);
        }
        // 10 + 490/e, ten seconds later.
        assert_eq!((now - start, latency(&load, now)), (DECAY, 190));
    }

    #[test]
    fn a_failure_counts_five_seconds_or_what_the_worker_asked_for_or_more_if_it_took_more() {
        let failed = |millis: Option<u64>| End::Failed { hint: millis.map(ms) };
        for (attempts, expected) in [
            (vec![(1, failed(None))], 5_000),
            (vec![(1, failed(Some(700)))], 5_000),
            (vec![(1, failed(Some(9_000)))], 9_000),
            (vec![(6_000, failed(None))], 6_000),
            (vec![(7_000, End::Answered), (0, failed(None))], 7_000),
        ] {
            let (load, now) = after(&attempts);
            assert_eq!(latency(&load, now), expected, "{attempts:?}");
        }
    }

    #[test]
    fn what_was_given_up_counts_only_where_it_shows_that_the_worker_is_slower_than_thought() {
        for (given_up, expected) in [(5, 20), (300, 300)] {
            let (load, now) = after(&[(20, End::Answered), (given_up, End::GivenUp)]);
            assert_eq!(latency(&load, now), expected);
        }
        let (load, now) = after(&[(20, End::Answered), (0, End::Ignored)]);
        assert_eq!(latency(&load, now), 20);
    }

    #[test]
    fn a_deadline_is_the_workers_failure_when_it_had_twice_its_usual_time_and_else_the_callers_impatience() {
        for (timeout, expected) in [(5, 20), (39, 39), (40, 5_000)] {
            let (load, now) = after(&[(20, End::Answered), (timeout, End::TimedOut)]);
            assert_eq!(latency(&load, now), expected, "a timeout of {timeout} ms");
        }
        let (load, now) = after(&[(80, End::TimedOut), (80, End::TimedOut)]);
        assert_eq!(latency(&load, now), 80, "nothing is known of a worker that never answered");
        let (load, now) = after(&[(20, End::Answered), (50, End::TimedOut), (50, End::TimedOut)]);
        assert_eq!(load.failing(now), 2, "failures do not become what is usual");
    }

    #[test]
    fn silence_counts_while_calls_are_in_flight_and_ends_with_the_first_answer() {
        let (mut load, mut now) = after(&[(20, End::Answered)]);
        load.handle_begun(now);
        load.handle_begun(now + ms(30));
        now += ms(50);
        assert_eq!(latency(&load, now), 50);
        load.handle_ended(now, ms(20), End::Answered);
        assert_eq!(latency(&load, now + ms(5)), 20);
        assert_eq!(latency(&load, now + ms(90)), 90, "the other one is still in flight");
        load.handle_ended(now + ms(90), ms(140), End::GivenUp);
        assert_eq!(latency(&load, now + ms(90)), 140);
        assert!(latency(&load, now + ms(400)) < 140, "with nothing in flight silence says nothing");
    }

    #[test]
    fn the_first_answer_after_a_long_pause_takes_the_place_of_what_was_known() {
        for (pause, expected) in [(9_900, 1_859), (10_000, 2)] {
            let (mut load, mut now) = after(&[(0, End::Failed { hint: None })]);
            now += ms(pause);
            load.handle_begun(now);
            load.handle_ended(now + ms(2), ms(2), End::Answered);
            assert_eq!(latency(&load, now + ms(2)), expected, "after a pause of {pause} ms");
        }
    }

    #[test]
    fn the_estimate_of_a_worker_that_is_left_alone_falls_until_it_is_tried_again() {
        let (load, now) = after(&[(1_000, End::Answered)]);
        let falls = [0, 10, 20, 100].map(|idle| latency(&load, now + Duration::from_secs(idle)));
        assert_eq!(falls, [1_000, 368, 135, 0]);
        assert_eq!(load.reading(now + ms(1)).idle, Some(ms(1_001)));
    }

    #[test]
    fn a_failure_is_a_call_in_flight_for_five_seconds() {
        let (load, now) = after(&[(0, End::Failed { hint: None })]);
        let left = [0, 4_999, 5_001].map(|later| load.failing(now + ms(later)));
        assert_eq!(left, [1, 1, 0]);
        let (load, now) = after(&[(0, End::Failed { hint: Some(ms(10_000)) }); 3]);
        assert_eq!(load.failing(now), 6, "a worker that asked for ten seconds counts twice");
        let (load, now) = after(&[(0, End::Failed { hint: None }); 1_000]);
        assert_eq!(load.failing(now), 64);
    }

    #[test]
    fn nothing_is_known_of_a_worker_before_its_first_attempt() {
        let now = Instant::now();
        let nothing = Reading { latency: None, silence: 0.0, idle: None };
        assert_eq!((Load::default().reading(now), Load::default().failing(now)), (nothing, 0));
    }

    fn any_end() -> impl proptest::strategy::Strategy<Value = End> {
        let hint = prop::option::of((0..20_000_u64).prop_map(ms));
        prop_oneof![
            Just(End::Answered),
            hint.prop_map(|hint| End::Failed { hint }),
            Just(End::TimedOut),
            Just(End::GivenUp),
            Just(End::Ignored),
        ]
    }

    proptest! {
        #[test]
        fn the_estimate_lies_between_zero_and_the_slowest_that_was_seen(
            attempts in prop::collection::vec((0..8_000_u64, any_end(), 0..3_000_u64), 1..40),
        ) {
            let (mut load, mut now, mut slowest) = (Load::default(), Instant::now(), 0.0_f64);
            for (took, end, pause) in attempts {
                load.handle_begun(now);
                now += ms(took);
                load.handle_ended(now, ms(took), end);
                let counted = match end {
                    End::Failed { hint } => ms(took).max(FAILURE).max(hint.unwrap_or_default()),
                    End::TimedOut => ms(took).max(FAILURE),
                    _ => ms(took),
                };
                slowest = slowest.max(counted.as_secs_f64());
                let estimate = load.reading(now).latency.unwrap_or(0.0);
                prop_assert!((0.0..=slowest * 1.000_001).contains(&estimate), "{} of {}", estimate, slowest);
                now += ms(pause);
                prop_assert!(load.reading(now).latency.unwrap_or(0.0) <= estimate);
            }
            prop_assert_eq!((load.pending, load.silent_since), (0, None));
        }
    }
}
