//! What a caller may say about one call.

use std::time::{Duration, Instant};

use crate::{context::Context, descriptor::Idempotency, time::later};

/// Settings of a call. What is not set is taken from the channel, then from the defaults.
///
/// ```
/// # use rpcnet::CallOptions;
/// # use std::time::Duration;
/// let quick = CallOptions::timeout(Duration::from_millis(50)).idempotent(true);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) idempotent: Option<bool>,
}

impl CallOptions {
    /// The deadline of a call that names none and inherits none.
    ///
    /// Ten seconds: longer than any healthy call, shorter than a person's patience. A call without a deadline could hang
    /// for ever on a host that vanished.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

    /// Options that set nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options with a deadline for the whole call, all its attempts included.
    pub fn timeout(timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..Self::default() }
    }

    /// How often the call may be sent, the first time included; at least once. Used by clients that know several
    /// workers; a single connection sends once.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// Says of an untyped call whether repeating it is safe. A typed method says so itself, and only it is asked.
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = Some(idempotent);
        self
    }

    /// These options, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        Self {
            timeout: self.timeout.or(base.timeout),
            max_attempts: self.max_attempts.or(base.max_attempts),
            idempotent: self.idempotent.or(base.idempotent),
        }
    }

    /// When a call with these options, made now, must end: after its own timeout
    /// ([`TIMEOUT_DEFAULT`](Self::TIMEOUT_DEFAULT) when not set), or with the call it is made for
    /// ([`Context::current`]), whichever is sooner. For whoever implements [`Caller`](crate::Caller).
    pub fn deadline(&self, now: Instant) -> Instant {
        let own = later(now, self.timeout.unwrap_or(Self::TIMEOUT_DEFAULT));
        let inherited = Context::current().and_then(|context| context.deadline());
        inherited.map_or(own, |inherited| own.min(inherited))
    }

    /// The timeout that was set, if one was.
    pub fn timeout_set(&self) -> Option<Duration> {
        self.timeout
    }

    /// The number of attempts that was set, if one was.
    pub fn max_attempts_set(&self) -> Option<u32> {
        self.max_attempts
    }

    /// The idempotency of an untyped call under these options.
    pub(crate) fn untyped_idempotency(&self) -> Idempotency {
        if self.idempotent == Some(true) { Idempotency::Idempotent } else { Idempotency::AtMostOnce }
    }
}
