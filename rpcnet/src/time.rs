//! Moments in the future, however far a setting puts them.

use std::time::{Duration, Instant};

/// `after` from `now`. A duration that no clock can express (`Duration::MAX` for "never") means thirty years.
pub(crate) fn later(now: Instant, after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    now + after.min(FAR)
}
