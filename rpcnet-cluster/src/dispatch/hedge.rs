//! When a call that takes long is sent to a second worker, and how many are. Pure: time is an argument.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rpcnet::{Hedge, MethodId};

use super::latency::Latencies;

/// What all calls of a client know of hedging: a bucket that pays for it, when workers last said that they are full, and
/// how long each method takes.
///
/// Hedging after the 95th percentile is from Dean and Barroso, "The Tail at Scale", CACM 56 (2013), who cut the 99.9th
/// percentile of a read from 1 800 to 74 ms by 2 % more requests. The bucket is that of gRPC's proposal A6 in form; without
/// one, a slow-down of everybody, of which no hedge helps, would double the load on everybody.
#[derive(Debug)]
pub(crate) struct Hedges {
    /// What is in the bucket, in parts of a hedge.
    tokens: u32,
    quiet_until: Option<Instant>,
    methods: BTreeMap<MethodId, Latencies>,
}

impl Hedges {
    /// Answered calls that pay for one hedge: one more call in twenty, which is what lies beyond a 95th percentile.
    const ANSWERS_PER_HEDGE: u32 = 20;
    /// Hedges that can be saved up. When all workers become slow at once, so many are in vain before hedging stops.
    const SAVED_MAX: u32 = 10;
    /// A hedge before that is a second call for the sake of a hiccup of this process.
    const DELAY_MIN: Duration = Duration::from_millis(1);
    /// For so long nothing is hedged after a worker has said that it is full: an idle one is then not to be found by
    /// sending everything twice. A second is several queues of a healthy server.
    const QUIET: Duration = Duration::from_secs(1);
    /// Methods whose times are kept, at 15 KiB each. Calls of further ones are hedged only after a time that is set.
    const METHODS_MAX: usize = 256;

    pub(crate) fn new() -> Self {
        let tokens = Self::SAVED_MAX * Self::ANSWERS_PER_HEDGE;
        Self { tokens, quiet_until: None, methods: BTreeMap::new() }
    }

    /// How long the first attempt of a call has for itself; nothing if none is to join it.
    pub(crate) fn delay(&mut self, now: Instant, method: MethodId, hedge: Hedge) -> Option<Duration> {
        let delay = match hedge {
            Hedge::After(delay) => delay,
            Hedge::AtP95 => self.methods.get_mut(&method)?.p95(now)?,
            _ => return None,
        };
        Some(delay.max(Self::DELAY_MIN))
    }

    /// Whether one more hedge is paid for, and would not go where everybody is waiting.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        self.tokens >= Self::ANSWERS_PER_HEDGE && self.quiet_until.is_none_or(|until| now >= until)
    }

    /// A hedge is sent, which was allowed.
    pub(crate) fn handle_hedged(&mut self) {
        self.tokens = self.tokens.saturating_sub(Self::ANSWERS_PER_HEDGE);
    }

    /// An attempt of a call that may be hedged was answered.
    pub(crate) fn handle_answered(&mut self, now: Instant, method: MethodId, hedge: Hedge, took: Duration) {
        self.tokens = (self.tokens + 1).min(Self::SAVED_MAX * Self::ANSWERS_PER_HEDGE);
        self.record(now, method, hedge, took);
    }

    /// A first attempt was given up, because the hedge had answered. It would have taken longer still: without it the slow
    /// calls would be missing among the times, and each quantile would be shorter than the one before.
    pub(crate) fn handle_outrun(&mut self, now: Instant, method: MethodId, hedge: Hedge, took: Duration) {
        self.record(now, method, hedge, took);
    }

    /// A worker refused an attempt, being full; it wants to be left alone for `hint`.
    pub(crate) fn handle_overloaded(&mut self, now: Instant, hint: Option<Duration>) {
        const HINT_MAX: Duration = Duration::from_secs(5);
        let until = now + hint.unwrap_or(Self::QUIET).clamp(Self::QUIET, HINT_MAX);
        self.quiet_until = self.quiet_until.max(Some(until));
    }

    fn record(&mut self, now: Instant, method: MethodId, hedge: Hedge, took: Duration) {
        if hedge != Hedge::AtP95 {
            return;
        }
        if self.methods.len() < Self::METHODS_MAX || self.methods.contains_key(&method) {
            self.methods.entry(method).or_insert_with(|| Latencies::new(now)).record(now, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const METHOD: MethodId = MethodId::of("Compute/square");

    #[test]
    fn a_hedge_waits_for_the_time_that_is_set_and_never_less_than_a_millisecond() {
        let (now, mut hedges) = (Instant::now(), Hedges::new());
        for (hedge, delay) in [
            (Hedge::Never, None),
            (Hedge::After(ms(30)), Some(ms(30))),
            (Hedge::After(Duration::ZERO), Some(ms(1))),
            (Hedge::AtP95, None),
        ] {
            assert_eq!(hedges.delay(now, METHOD, hedge), delay, "{hedge:?}");
        }
    }

    #[test]
    fn the_p95_is_each_methods_own() {
        let (now, mut hedges) = (Instant::now(), Hedges::new());
        let other = MethodId::of("Compute/cube");
        for _ in 0..100 {
            hedges.handle_answered(now, METHOD, Hedge::AtP95, ms(20));
            hedges.handle_answered(now, other, Hedge::After(ms(1)), ms(20));
        }
        let delay = hedges.delay(now, METHOD, Hedge::AtP95).expect("a hundred answers are known");
        assert!(delay >= ms(20) && delay < ms(22), "{delay:?}");
        assert_eq!(hedges.delay(now, other, Hedge::AtP95), None, "its times were not asked for");
    }

    #[test]
    fn losers_that_are_cut_short_do_not_make_the_delay_shorter_and_shorter() {
        let (start, mut hedges) = (Instant::now(), Hedges::new());
        (0..1_000).for_each(|_| hedges.handle_answered(start, METHOD, Hedge::AtP95, ms(100)));
        for round in 0..60_u32 {
            let now = start + ms(500) * round;
            let delay = hedges.delay(now, METHOD, Hedge::AtP95).expect("there are samples");
            assert!(delay >= ms(100), "round {round}: {delay:?}");
            (0..19).for_each(|_| hedges.handle_answered(now, METHOD, Hedge::AtP95, ms(100)));
            // The twentieth is slow: it is outrun by its hedge, whose own time is a usual one.
            hedges.handle_outrun(now, METHOD, Hedge::AtP95, delay + ms(100));
        }
    }

    #[test]
    fn nothing_is_hedged_for_a_while_after_a_worker_was_full() {
        let (now, mut hedges) = (Instant::now(), Hedges::new());
        assert!(hedges.allows(now));
        hedges.handle_overloaded(now, Some(ms(2_000)));
        hedges.handle_overloaded(now, None);
        assert!(!hedges.allows(now + ms(1_999)) && hedges.allows(now + ms(2_000)));
        hedges.handle_overloaded(now, Some(ms(3_600_000)));
        assert!(hedges.allows(now + ms(5_000)), "no server silences its callers for long");
    }

    proptest! {
        #[test]
        fn hedges_are_a_twentieth_of_the_answers_and_ten(answers in prop::collection::vec(any::<bool>(), 1..2_000)) {
            let (now, mut hedges) = (Instant::now(), Hedges::new());
            let (mut answered, mut sent) = (0_u32, 0_u32);
            for answer in answers {
                if answer {
                    hedges.handle_answered(now, METHOD, Hedge::After(ms(5)), ms(1));
                    answered += 1;
                } else if hedges.allows(now) {
                    hedges.handle_hedged();
                    sent += 1;
                }
                prop_assert!(sent <= Hedges::SAVED_MAX + answered / Hedges::ANSWERS_PER_HEDGE);
            }
        }
    }
}
