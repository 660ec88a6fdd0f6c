//! When a server that could not be reached is tried again.

use std::time::{Duration, Instant};

/// Exponential backoff with equal jitter: half of the delay, and a random part of the other half.
///
/// Clients that lost one server must not come back in one moment, nor a single one hammer at a closed door. The first dial
/// after a loss waits for nothing: most losses are a restart or a cut connection.
///
/// Source: Brooker, "Exponential Backoff And Jitter",
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Default)]
pub(super) struct Redial {
    failures: u32,
    not_before: Option<Instant>,
}

impl Redial {
    /// 50 ms: a process has its port again in that time.
    const BASE: Duration = Duration::from_millis(50);

    /// 3 s: somebody who waits for the server to come back does not wait for long after it has.
    const CAP: Duration = Duration::from_secs(3);

    /// The server was reached.
    pub(super) fn handle_success(&mut self) {
        *self = Self::default();
    }

    /// It was not. `random` is in `0.0..1.0`.
    pub(super) fn handle_failure(&mut self, now: Instant, random: f64) {
        let delay = Self::BASE.saturating_mul(2_u32.saturating_pow(self.failures)).min(Self::CAP);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + delay.mul_f64(0.5 + random / 2.0));
    }

    /// Until when nobody should try again.
    pub(super) fn wait(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_cap_and_a_success_forgets_them() {
        let (mut redial, now) = (Redial::default(), Instant::now());
        assert_eq!(redial.wait(now), None);
        let mut waits = Vec::new();
        for _ in 0..8 {
            redial.handle_failure(now, 1.0);
            waits.push(redial.wait(now).map(|until| (until - now).as_millis()));
        }
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3000, 3000].map(Some));
        redial.handle_failure(now, 0.0);
        assert_eq!(redial.wait(now), Some(now + Redial::CAP / 2));
        redial.handle_success();
        assert_eq!(redial.wait(now), None);
    }
}
