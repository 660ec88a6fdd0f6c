//! What bounds the records of keyed calls, and what happens at the bounds.

use std::time::Duration;

/// What becomes of new keyed calls when as many are remembered as may be.
///
/// ```
/// use rpcnet::{CacheLimits, WhenFull};
///
/// // Duplicates that come late may run again, and no call is ever refused for want of room.
/// let mut limits = CacheLimits::default();
/// limits.when_full = WhenFull::BestEffort;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// They are refused with `Overloaded` before they run, and told when there will be room. Nothing is forgotten within the
    /// window: the promise outlives the load.
    #[default]
    Strict,
    /// What ended longest ago is forgotten for them. [`Server::keyed`](crate::Server::keyed) says how far back memory reaches
    /// (its `effective_window`), and a repeat that says it is older is refused instead of run; one that does not say its age
    /// may run again.
    BestEffort,
}

/// The bounds of the cache that answers repeated request ids.
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`window`](Self::window) | 5 min | longer than any sane chain of retries |
/// | [`entries_max`](Self::entries_max) | 1 000 000 | some 3 300 keyed calls a second, all remembered for the window, in at most 100 MB |
/// | [`bytes_max`](Self::bytes_max) | 64 MiB | the answers together |
/// | [`answer_bytes_max`](Self::answer_bytes_max) | 1 MiB | one answer; a larger one is not kept |
/// | [`caller_percent`](Self::caller_percent) | 25 | four callers have to work together to fill the table |
/// | [`when_full`](Self::when_full) | [`Strict`](WhenFull::Strict) | a record forgotten in silence is a payment made twice |
///
/// What an answer costs beside its bytes is under 100 bytes, however many there are; a request whose answer is not kept (a
/// *tombstone*) is 40 bytes of facts: whose and which, a fingerprint of its arguments, when it ended and how. Answers make room
/// before requests do: a repeat of one that lost its answer is told `AlreadyCompleted`.
/// ```
/// use std::time::Duration;
///
/// let mut limits = rpcnet::CacheLimits::default();
/// limits.window = Duration::from_secs(60 * 60); // whoever repeats a request does so within the hour
/// # assert_eq!(limits.entries_max, 1_000_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// How long a request is remembered after it has ended, to a tenth of a second and never less.
    pub window: Duration,
    /// How many requests are remembered, those still running included.
    pub entries_max: usize,
    /// How many bytes of answers are remembered. For a new one the oldest of whoever keeps most shrink to tombstones.
    pub bytes_max: usize,
    /// The largest answer that is remembered.
    pub answer_bytes_max: usize,
    /// What part of the entries and of the bytes one caller may have, of those that proved who they are. The others cannot
    /// be told apart, are one caller together, and have all of it.
    pub caller_percent: u8,
    /// What becomes of new calls when as many are remembered as may be.
    pub when_full: WhenFull,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(300),
            entries_max: 1_000_000,
            bytes_max: 64 << 20,
            answer_bytes_max: 1 << 20,
            caller_percent: 25,
            when_full: WhenFull::Strict,
        }
    }
}

impl CacheLimits {
    /// How much of a total one caller may have; one whom nobody vouches for has all of it.
    pub(super) fn share(&self, total: usize, named: bool) -> usize {
        let percent = usize::from(self.caller_percent.min(100));
        if named { total / 100 * percent + total % 100 * percent / 100 } else { total }
    }
}
