//! A circuit breaker around anything: the machine that watches each worker, for a program's own use.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::breaker::{Breaker, CircuitState, Limits, Ticket, Verdict};

/// Stops asking somebody who keeps failing, and looks again after a while with one call.
///
/// ```text
///            too many failures                 its time is over
///   Closed ───────────────────► Open ───────────────────────► HalfOpen: one call is let through
///     ▲                           ▲             it failed         │ │
///     │                           └───────────────────────────────┘ │
///     └─────────────────────────────────────────────────────────────┘ it succeeded
/// ```
///
/// It opens after five failures in a row, or when fewer than 80 % of at least twenty calls of the last thirty seconds
/// succeeded. It stays open for a second, and twice as long each time it opens again, at most a minute; the period is
/// spread by ± 50 %, so that many processes do not come back together. While it is half open one call is let through and
/// decides; whoever else calls is refused as before. What calls say that were begun before the last change is not heard:
/// the late success of an old call closes nothing.
///
/// [`ResilientClient`](crate::ResilientClient) has one for each worker and needs no other. This is for what is called without
/// it: a database, a service over HTTP. Cheap to clone; clones share the state. Needs no runtime but tokio's clock.
///
/// ```
/// use rpcnet_cluster::{CircuitBreaker, CircuitError};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # async fn query() -> Result<u32, std::io::Error> { Ok(1) }
/// let breaker = CircuitBreaker::new();
/// // Which errors are failures of the database, and not answers of it, only the program knows.
/// let counts = |error: &std::io::Error| error.kind() != std::io::ErrorKind::NotFound;
/// match breaker.call(query(), counts).await {
///     Ok(rows) => println!("{rows} rows"),
///     Err(CircuitError::Open { retry_after }) => println!("not asked; again in {retry_after:?}"),
///     Err(CircuitError::Failed(error)) => println!("{error}"),
/// }
/// # }
/// ```
///
/// Source: Nygard, "Release It!" (2007); <https://martinfowler.com/bliki/CircuitBreaker.html>.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    core: Arc<Mutex<Breaker>>,
    limits: Limits,
    probe_timeout: Duration,
}

/// Why a call through a [`CircuitBreaker`] has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CircuitError<E> {
    /// It was not made: the breaker is open. May be tried again after the time given, when the next trial is due.
    #[error("not called: too many calls before this one failed; the next is let through in {retry_after:?}")]
    Open {
        /// How long nobody is let through, if the trial under way does not end before.
        retry_after: Duration,
    },
    /// It was made, and failed.
    #[error(transparent)]
    Failed(E),
}

impl CircuitBreaker {
    /// How long a trial may take before another call is let through as the next, when not set.
    pub const PROBE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

    /// A closed one, with the settings described [above](Self).
    pub fn new() -> Self {
        Self::with(Limits::DEFAULT, Self::PROBE_TIMEOUT_DEFAULT)
    }

    /// A new one that opens after so many failures in a row; at least one, 5 when not set.
    #[must_use]
    pub fn failures_in_a_row(self, failures: u32) -> Self {
        Self::with(Limits { failures_in_a_row: failures.max(1), ..self.limits }, self.probe_timeout)
    }

    /// A new one that opens when a smaller share of the last thirty seconds' calls succeeded, of at least `calls`; 0.8 and
    /// 20 when not set. A share of 0 turns this off.
    #[must_use]
    pub fn success_share(self, share: f64, calls: u32) -> Self {
        let limits = Limits { success_share_min: share.clamp(0.0, 1.0), calls_min: calls, ..self.limits };
        Self::with(limits, self.probe_timeout)
    }

    /// A new one that stays open for `first`, then twice as long each time, at most `longest`; 1 s and 60 s when not set.
    #[must_use]
    pub fn open_for(self, first: Duration, longest: Duration) -> Self {
        let limits = Limits { open_first: first, open_max: longest.max(first), ..self.limits };
        Self::with(limits, self.probe_timeout)
    }

    /// A new one whose trials are taken for forgotten after this time;
    /// [`PROBE_TIMEOUT_DEFAULT`](Self::PROBE_TIMEOUT_DEFAULT) when not set. It ends no call: that is a timeout's work.
    #[must_use]
    pub fn probe_timeout(self, timeout: Duration) -> Self {
        Self::with(self.limits, timeout)
    }

    fn with(limits: Limits, probe_timeout: Duration) -> Self {
        Self { core: Arc::new(Mutex::new(Breaker::new(limits))), limits, probe_timeout }
    }

    /// Awaits the future if the breaker lets it through; else it is dropped without having been polled.
    ///
    /// `counts` says of an error whether it is a failure of whoever was called. One that is not ("no such row") counts as a
    /// success: it was an answer. A call that is dropped before its end counts as nothing.
    ///
    /// # Errors
    ///
    /// [`CircuitError::Open`] when the call was not made, [`CircuitError::Failed`] with its own error when it was.
    pub async fn call<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
        counts: impl FnOnce(&E) -> bool,
    ) -> Result<T, CircuitError<E>> {
        let mut pass = self.enter().map_err(|retry_after| CircuitError::Open { retry_after })?;
        let result = future.await;
        let failed = result.as_ref().is_err_and(counts);
        pass.end(if failed { Verdict::Failed } else { Verdict::Served });
        result.map_err(CircuitError::Failed)
    }

    /// What it lets through now.
    pub fn state(&self) -> CircuitState {
        self.core.lock().circuit()
    }

    fn enter(&self) -> Result<Pass<'_>, Duration> {
        let now = now();
        let mut core = self.core.lock();
        if !core.admits(now) {
            let until = core.open_until().unwrap_or(now);
            return Err(until.saturating_duration_since(now));
        }
        let until = now + self.probe_timeout;
        let ticket = core.handle_picked(now, until, until);
        Ok(Pass { core: &self.core, ticket: Some(ticket) })
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CircuitState::Closed => "closed",
            CircuitState::Open => "open",
            CircuitState::HalfOpen => "half open",
        })
    }
}

/// A call that was let through. One that is dropped was given up, which says nothing.
struct Pass<'a> {
    core: &'a Mutex<Breaker>,
    ticket: Option<Ticket>,
}

impl Pass<'_> {
    fn end(&mut self, verdict: Verdict) {
        if let Some(ticket) = self.ticket.take() {
            self.core.lock().handle_ended(now(), ticket, verdict, fastrand::f64());
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.end(Verdict::Nothing);
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    async fn answer(after: Duration, result: Result<u8, u8>) -> Result<u8, u8> {
        tokio::time::sleep(after).await;
        result
    }

    async fn open() -> CircuitBreaker {
        let breaker = CircuitBreaker::new();
        for _ in 0..5 {
            assert_eq!(breaker.state(), CircuitState::Closed);
            let failed = breaker.call(answer(ms(1), Err(3)), |_| true).await;
            assert_eq!(failed, Err(CircuitError::Failed(3)));
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn row_7_closed_open_half_open_and_one_probe() {
        let breaker = open().await;
        assert_eq!(breaker.state(), CircuitState::Open);
        let never = async { panic!("it is not polled") };
        let refused: Result<u8, CircuitError<u8>> = breaker.call(never, |_| true).await;
        let Err(CircuitError::Open { retry_after }) = refused else { panic!("{refused:?}") };
        assert!(retry_after >= ms(500) && retry_after <= ms(1_500), "{retry_after:?}");
        tokio::time::sleep(retry_after).await;
        let (probing, other) = (breaker.clone(), breaker.clone());
        let probe = tokio::spawn(async move { probing.call(answer(ms(100), Ok(1)), |_| true).await });
        tokio::time::sleep(ms(1)).await;
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        let beside = other.call(answer(ms(1), Ok(2)), |_| true).await;
        assert!(matches!(beside, Err(CircuitError::Open { .. })), "one probe: {beside:?}");
        assert_eq!(probe.await.expect("no panic"), Ok(1));
        assert_eq!(breaker.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_an_answer_opens_nothing() {
        let breaker = CircuitBreaker::new();
        for _ in 0..100 {
            let answered = breaker.call(answer(ms(1), Err(4)), |error| *error != 4).await;
            assert_eq!(answered, Err(CircuitError::Failed(4)));
        }
        assert_eq!(breaker.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_success_of_an_old_call_closes_nothing() {
        let breaker = CircuitBreaker::new();
        let old = breaker.clone();
        let old = tokio::spawn(async move { old.call(answer(ms(50), Ok(1)), |_| true).await });
        tokio::time::sleep(ms(1)).await;
        for _ in 0..5 {
            let _ = breaker.call(answer(ms(1), Err(3)), |_| true).await;
        }
        assert_eq!(old.await.expect("no panic"), Ok(1));
        assert_eq!(breaker.state(), CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_makes_room_for_another() {
        let breaker = open().await;
        tokio::time::sleep(ms(1_500)).await;
        let probe = breaker.call(answer(ms(5_000), Ok(1)), |_| true);
        tokio::time::timeout(ms(10), probe).await.expect_err("it takes longer");
        assert_eq!(breaker.call(answer(ms(1), Ok(2)), |_| true).await, Ok(2));
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}
