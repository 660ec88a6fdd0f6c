//! What a client may spend on calls that fail or take long.

use std::time::Duration;

use super::backoff::Backoff;

/// Settings of a [`ResilientClient`](crate::ResilientClient) for all its calls together. What concerns one call is in its
/// [`CallOptions`](rpcnet::CallOptions).
///
/// | setting | default | why |
/// |---|---|---|
/// | [`attempts_max`](Self::attempts_max) | 3 | with the first answer lost and the second worker unlucky too, a fourth attempt seldom helps and always costs |
/// | [`backoff`](Self::backoff) | 50 ms, at most 2 s | a connection restarts and a short queue passes in the first; the second is a fifth of the default deadline |
/// | [`retry_share`](Self::retry_share) | 0.2 | what a fleet sized with some reserve can carry besides its calls |
/// | [`retry_reserve`](Self::retry_reserve) | 3 a second | a client that calls once a minute may retry too |
/// | [`throttle`](Self::throttle) | on | refusing costs a server something, and a server that only refuses serves nobody |
///
/// ```
/// use rpcnet_cluster::Resilience;
/// # use std::time::Duration;
///
/// let patient = Resilience::default().attempts_max(5).backoff(Duration::from_millis(200), Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resilience {
    pub(crate) attempts_max: u32,
    pub(crate) backoff: Backoff,
    pub(crate) retry_share: f64,
    pub(crate) retry_reserve: u32,
    pub(crate) throttle: bool,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            backoff: Backoff::DEFAULT,
            retry_share: 0.2,
            retry_reserve: 3,
            throttle: true,
        }
    }
}

impl Resilience {
    /// How often a call may reach a worker, resends and hedges included, that does not say so itself
    /// ([`CallOptions::max_attempts`](rpcnet::CallOptions::max_attempts)); at least once.
    #[must_use]
    pub fn attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts.max(1);
        self
    }

    /// Before a resend that is not the first, a call waits for a random part of `base · 2ⁿ`, at most of `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff = Backoff { base, cap: cap.max(base) };
        self
    }

    /// How many resends and hedges each call pays for: over ten seconds they are at most this share of the calls, besides the
    /// reserve. Between 0 and 1; 0 leaves the reserve alone. Above a half, an overload can feed itself: see
    /// Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
    #[must_use]
    pub fn retry_share(mut self, share: f64) -> Self {
        self.retry_share = share.clamp(0.0, 1.0);
        self
    }

    /// How many resends a second need no calls to pay for them.
    #[must_use]
    pub fn retry_reserve(mut self, per_second: u32) -> Self {
        self.retry_reserve = per_second;
        self
    }

    /// Whether calls are failed without being sent when most attempts of the last ten seconds were refused by workers that
    /// were full: with `(requests − 2·accepts) / (requests + 1)` as the probability, at most 80 %, and never under five
    /// attempts a second.
    ///
    /// Source: "Site Reliability Engineering", <https://sre.google/sre-book/handling-overload/>.
    #[must_use]
    pub fn throttle(mut self, on: bool) -> Self {
        self.throttle = on;
        self
    }
}
