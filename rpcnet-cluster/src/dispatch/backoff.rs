//! How long to wait before a call is sent again.

use std::time::Duration;

/// Exponential backoff with full jitter: `rand(0, 1) · min(cap, base · 2ⁿ)`.
///
/// Full jitter, because callers that failed together must not come back together; of the variants measured it does the
/// least work for nearly the shortest completion time.
///
/// Source: Brooker, "Exponential Backoff And Jitter",
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backoff {
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
}

impl Backoff {
    /// 50 ms: the restart of a connection and a short queue pass in that time. 2 s: a fifth of the default deadline, so
    /// that a call never sleeps most of its life.
    pub(crate) const DEFAULT: Self = Self { base: Duration::from_millis(50), cap: Duration::from_secs(2) };

    /// How far beyond the own delay a server's hint is followed: a server must not park its callers.
    const HINT_EXTRA_MAX: Duration = Duration::from_secs(5);

    /// The delay before the resend that `earlier` other resends came before. `random` is in `0.0..1.0`.
    pub(crate) fn delay(&self, earlier: u32, random: f64) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(earlier));
        doubled.min(self.cap).mul_f64(random)
    }

    /// The delay that takes a server's hint into account: never less than the own one, and not much more.
    pub(crate) fn hinted(delay: Duration, hint: Option<Duration>) -> Duration {
        hint.map_or(delay, |hint| hint.clamp(delay, delay + Self::HINT_EXTRA_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_delay_doubles_up_to_the_cap_and_the_dice_take_their_part() {
        let longest: Vec<_> = (0..8).map(|n| Backoff::DEFAULT.delay(n, 1.0)).collect();
        assert_eq!(longest, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000].map(ms));
        assert_eq!(Backoff::DEFAULT.delay(2, 0.25), ms(50));
        assert_eq!(Backoff::DEFAULT.delay(u32::MAX, 0.0), ms(0));
    }

    #[test]
    fn a_hint_is_followed_within_reason() {
        let own = ms(100);
        for (hint, delay) in
            [(None, 100), (Some(ms(10)), 100), (Some(ms(900)), 900), (Some(ms(60_000)), 5_100)]
        {
            assert_eq!(Backoff::hinted(own, hint), ms(delay));
        }
    }
}
