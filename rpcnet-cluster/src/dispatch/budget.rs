//! How much may be sent again, over all calls: what keeps retries from turning a slow minute into an outage.

use std::time::Instant;

/// A retry budget: every call deposits, every resend withdraws, deposits live ten seconds.
///
/// Retries multiply load exactly when there is too little capacity for it; a system can stay jammed by its own retries
/// long after the cause is gone (Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021). With this budget
/// resends are at most a fifth of the calls, and a reserve lets clients with few calls retry at all.
///
/// The form is Finagle's `RetryBudget`, with its default share and lifetime.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Deposits less withdrawals of each second, in thousandths of a resend; a ring over the last ten seconds.
    seconds: [i64; Budget::SECONDS],
    /// The second that is counted now, since `start`.
    current: u64,
    start: Instant,
    /// What a call deposits.
    deposit: i64,
    /// What is there without any.
    reserve: i64,
}

impl Budget {
    /// How long a deposit can be drawn on, in seconds.
    const SECONDS: usize = 10;
    /// What a resend takes out.
    const RESEND: i64 = 1_000;

    /// One in which a call pays for `share` of a resend, and some resends a second need no calls to pay for them, so that a
    /// client that calls once a minute may retry.
    pub(crate) fn new(now: Instant, share: f64, reserve_per_second: u32) -> Self {
        let deposit = (share * Self::RESEND as f64) as i64;
        let reserve = i64::from(reserve_per_second) * Self::SECONDS as i64 * Self::RESEND;
        Self { seconds: [0; Self::SECONDS], current: 0, start: now, deposit, reserve }
    }

    /// A call begins.
    pub(crate) fn deposit(&mut self, now: Instant) {
        let deposit = self.deposit;
        *self.second(now) += deposit;
    }

    /// Takes one resend out, if it is covered.
    pub(crate) fn withdraw(&mut self, now: Instant) -> bool {
        *self.second(now) -= Self::RESEND;
        let covered = self.seconds.iter().sum::<i64>() + self.reserve >= 0;
        if !covered {
            *self.second(now) += Self::RESEND;
        }
        covered
    }

    /// The counter of this second; those that have become too old are cleared on the way.
    fn second(&mut self, now: Instant) -> &mut i64 {
        let second = now.saturating_duration_since(self.start).as_secs().max(self.current);
        let passed = (second - self.current).min(Self::SECONDS as u64);
        for step in 1..=passed {
            self.seconds[((second - passed + step) % Self::SECONDS as u64) as usize] = 0;
        }
        self.current = second;
        &mut self.seconds[(second % Self::SECONDS as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// The resends that the reserve alone covers in the lifetime of a deposit.
    const RESERVE: usize = 3 * Budget::SECONDS;

    fn budget(now: Instant) -> Budget {
        Budget::new(now, 0.2, 3)
    }

    #[test]
    fn one_resend_in_five_calls_is_covered_besides_the_reserve() {
        let now = Instant::now();
        let mut budget = budget(now);
        (0..1_000).for_each(|_| budget.deposit(now));
        let covered = (0..1_000).filter(|_| budget.withdraw(now)).count();
        assert_eq!(covered, 200 + RESERVE);
    }

    #[test]
    fn deposits_and_withdrawals_are_forgotten_after_ten_seconds() {
        let start = Instant::now();
        let mut budget = budget(start);
        (0..1_000).for_each(|_| budget.deposit(start));
        let nearly = start + Duration::from_millis(9_999);
        assert!((0..RESERVE + 1).all(|_| budget.withdraw(nearly)));
        let later = start + Duration::from_secs(10);
        assert!(!budget.withdraw(later), "the deposits are gone, what was withdrawn a moment ago is not");
        let much_later = later + Duration::from_secs(1_000_000);
        assert_eq!((0..100).filter(|_| budget.withdraw(much_later)).count(), RESERVE);
    }

    proptest! {
        #[test]
        fn no_ten_seconds_see_more_resends_than_the_calls_before_paid_for(
            steps in prop::collection::vec((0_u64..1_500, any::<bool>()), 1..400),
        ) {
            let start = Instant::now();
            let (mut budget, mut now) = (budget(start), start);
            let (mut calls, mut resends) = (Vec::new(), Vec::new());
            for (millis, call) in steps {
                now += Duration::from_millis(millis);
                if call {
                    budget.deposit(now);
                    calls.push(now);
                } else if budget.withdraw(now) {
                    resends.push(now);
                    let within = |times: &[Instant], seconds| {
                        times.iter().filter(|time| now - **time < Duration::from_secs(seconds)).count()
                    };
                    // A ring of whole seconds sees between nine and ten of them.
                    prop_assert!(within(&resends, 9) <= within(&calls, 10) / 5 + RESERVE);
                }
            }
        }
    }
}
