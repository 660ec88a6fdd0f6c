//! What an attempt shows of its worker, told to the worker's load when it ends, however it ends.

use std::time::Instant;

use rpcnet::{Reason, Status};

use super::outcome::Class;
use crate::balance::{End, Gauge};

/// An attempt on its way, timed. Dropped before it has ended, it was given up.
#[derive(Debug)]
pub(crate) struct Timed<'a> {
    gauge: &'a Gauge,
    begun: Instant,
    ended: bool,
}

impl<'a> Timed<'a> {
    /// The attempt is sent now: opening a connection is behind it, and says nothing of how the worker works.
    pub(crate) fn begin(gauge: &'a Gauge, now: tokio::time::Instant) -> Self {
        let begun = now.into_std();
        gauge.handle_begun(begun);
        Self { gauge, begun, ended: false }
    }

    /// The attempt was answered or has failed.
    pub(crate) fn end<T>(mut self, result: &Result<T, Status>) {
        self.tell(result.as_ref().map_or_else(failure, |_| End::Answered));
    }

    fn tell(&mut self, end: End) {
        let now = now();
        self.gauge.handle_ended(now, now.saturating_duration_since(self.begun), end);
        self.ended = true;
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(End::GivenUp);
        }
    }
}

/// What a failure says of the worker.
fn failure(status: &Status) -> End {
    if status.reason() == Reason::Deadline {
        return End::TimedOut;
    }
    match Class::of(status) {
        Class::Rejected | Class::Unknown | Class::Infrastructure => End::Failed { hint: status.retry_hint() },
        Class::NotSent | Class::Draining | Class::Caller => End::Ignored,
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rpcnet::Executed;

    use super::*;

    #[test]
    fn only_what_a_worker_did_counts_against_it() {
        let failed = End::Failed { hint: None };
        let table = [
            (Reason::ConnectFailed, Executed::No, End::Ignored),
            (Reason::Draining, Executed::No, End::Ignored),
            (Reason::TooManyCalls, Executed::No, End::Ignored),
            (Reason::UnknownMethod, Executed::No, End::Ignored),
            (Reason::UndecodableAnswer, Executed::Yes, End::Ignored),
            (Reason::Deadline, Executed::No, End::TimedOut),
            (Reason::Deadline, Executed::Unknown, End::TimedOut),
            (Reason::Overloaded, Executed::No, failed),
            (Reason::ConnectionLost, Executed::Unknown, failed),
            (Reason::Panicked, Executed::Yes, failed),
        ];
        for (reason, executed, end) in table {
            assert_eq!(failure(&Status::new(reason, executed, "")), end, "{reason:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_dropped_was_given_up_and_counts_with_its_time() {
        let gauge = Gauge::new(now());
        let answered = Timed::begin(&gauge, tokio::time::Instant::now());
        tokio::time::sleep(Duration::from_millis(10)).await;
        answered.end(&Ok(()));
        let dropped = Timed::begin(&gauge, tokio::time::Instant::now());
        tokio::time::sleep(Duration::from_millis(70)).await;
        drop(dropped);
        assert_eq!(gauge.reading(now()).latency, Some(0.07));
    }
}
