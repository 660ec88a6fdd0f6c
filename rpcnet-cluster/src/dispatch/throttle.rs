//! A client that stops sending what would be refused. Pure: time and dice are arguments.

use std::time::Instant;

/// Attempts of the last ten seconds, and how many of them were not refused.
///
/// To refuse costs a server something too; a client of which most attempts are refused fails the rest here, before they are
/// sent. The probability is `(requests − 2·accepts) / (requests + 1)`, at least 0 and at most 80 %: nothing is held back while
/// half of the attempts are accepted, and one in five always finds out whether things are better.
///
/// Source: "Site Reliability Engineering", chapter 21, "Client-Side Throttling",
/// <https://sre.google/sre-book/handling-overload/>. The window there is two minutes; ten seconds end sooner.
#[derive(Debug)]
pub(crate) struct Throttle {
    seconds: [Second; Throttle::SECONDS],
    current: u64,
    start: Instant,
}

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    requests: u32,
    accepts: u32,
}

impl Throttle {
    const SECONDS: usize = 10;
    /// Twice as many attempts as are accepted are sent on: the server sees what it needs to see of the demand.
    const MULTIPLIER: f64 = 2.0;
    const HELD_BACK_MAX: f64 = 0.8;
    /// A client with fewer attempts a second burdens nobody by trying.
    const REQUESTS_PER_SECOND_MIN: f64 = 5.0;

    pub(crate) fn new(now: Instant) -> Self {
        Self { seconds: [Second::default(); Self::SECONDS], current: 0, start: now }
    }

    /// How likely an attempt is to be held back now.
    pub(crate) fn probability(&mut self, now: Instant) -> f64 {
        self.second(now);
        let sum =
            |of: fn(&Second) -> u32| self.seconds.iter().map(|second| f64::from(of(second))).sum::<f64>();
        let (requests, accepts) = (sum(|second| second.requests), sum(|second| second.accepts));
        if requests < Self::REQUESTS_PER_SECOND_MIN * Self::SECONDS as f64 {
            return 0.0;
        }
        ((requests - Self::MULTIPLIER * accepts) / (requests + 1.0)).clamp(0.0, Self::HELD_BACK_MAX)
    }

    /// A call wants to be sent for the first time; `random` is in `0.0..1.0`. One that is held back is counted here.
    pub(crate) fn admits(&mut self, now: Instant, random: f64) -> bool {
        let admits = random >= self.probability(now);
        if !admits {
            self.second(now).requests += 1;
        }
        admits
    }

    /// An attempt was answered, or not, by a worker that did or did not refuse it for being full.
    pub(crate) fn handle_ended(&mut self, now: Instant, refused: bool) {
        let second = self.second(now);
        second.requests = second.requests.saturating_add(1);
        second.accepts = second.accepts.saturating_add(u32::from(!refused));
    }

    fn second(&mut self, now: Instant) -> &mut Second {
        let at = now.saturating_duration_since(self.start).as_secs().max(self.current);
        let passed = (at - self.current).min(Self::SECONDS as u64);
        for step in 1..=passed {
            self.seconds[((at - passed + step) % Self::SECONDS as u64) as usize] = Second::default();
        }
        self.current = at;
        &mut self.seconds[(at % Self::SECONDS as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// A throttle that has seen so many attempts, of which so many were accepted.
    fn after(now: Instant, requests: u32, accepts: u32) -> Throttle {
        let mut throttle = Throttle::new(now);
        (0..requests).for_each(|nth| throttle.handle_ended(now, nth >= accepts));
        throttle
    }

    #[test]
    fn half_of_the_attempts_may_be_refused_and_one_in_five_is_sent_whatever_happens() {
        let now = Instant::now();
        for (requests, accepts, held_back) in
            [(100, 100, 0.0), (100, 50, 0.0), (99, 40, 0.19), (99, 0, 0.8), (49, 0, 0.0)]
        {
            let found = after(now, requests, accepts).probability(now);
            assert!((found - held_back).abs() < 1e-9, "{accepts} of {requests}: {found}");
        }
    }

    #[test]
    fn ten_seconds_later_it_is_forgotten() {
        let now = Instant::now();
        let mut throttle = after(now, 1_000, 0);
        let nearly = now + Duration::from_millis(9_999);
        assert!(throttle.probability(nearly) > 0.7);
        assert_eq!(throttle.probability(now + Duration::from_secs(10)), 0.0);
    }

    proptest! {
        #[test]
        fn one_in_five_is_sent_and_none_is_held_back_while_half_are_accepted(
            attempts in prop::collection::vec((0..30_u64, any::<bool>(), 0.0..1.0_f64), 1..500),
        ) {
            let (mut now, mut throttle) = (Instant::now(), Throttle::new(Instant::now()));
            for (millis, refused, random) in attempts {
                now += Duration::from_millis(millis);
                let probability = throttle.probability(now);
                prop_assert!((0.0..=0.8).contains(&probability));
                prop_assert!(random < 0.8 || throttle.admits(now, random));
                if throttle.admits(now, random) {
                    throttle.handle_ended(now, refused);
                }
            }
            let mut healthy = Throttle::new(now);
            for nth in 0..200 {
                healthy.handle_ended(now, nth % 2 == 1);
                prop_assert!(healthy.admits(now, 0.02), "half of the attempts were accepted");
            }
        }
    }
}
