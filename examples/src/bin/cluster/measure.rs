//! What became of the calls: counts, and the times that the summary gives.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered by this worker, and the answer is right.
    Right(String),
    /// Answered by this worker, and the answer is wrong.
    Wrong(String),
    /// Not answered, and why.
    Failed(String),
}

/// Counts calls as they end. Shared by all that make them.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    troubles: Vec<String>,
    slowest: Duration,
    reroute: Reroute,
    rejoin: Rejoin,
}

/// How many calls ended how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) wrong: u64,
    /// Answers by the worker that gave them.
    pub(crate) by_worker: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn calls(&self) -> u64 {
        self.ok + self.failed + self.wrong
    }
}

impl Tally {
    /// How many calls that went wrong are described; the rest is only counted.
    const TROUBLES_MAX: usize = 5;

    /// Takes in a call that has just ended.
    pub(crate) fn record(&self, begun: Instant, outcome: Outcome) {
        let (now, state) = (Instant::now(), &mut *self.0.lock());
        state.slowest = state.slowest.max(now.duration_since(begun));
        state.reroute.record(begun, now);
        let (count, worker, trouble) = match outcome {
            Outcome::Right(worker) => (&mut state.counts.ok, Some(worker), None),
            Outcome::Wrong(worker) => {
                let trouble = format!("{worker} gave a wrong answer");
                (&mut state.counts.wrong, Some(worker), Some(trouble))
            }
            Outcome::Failed(why) => (&mut state.counts.failed, None, Some(format!("a call failed: {why}"))),
        };
        *count += 1;
        if let Some(worker) = worker {
            state.rejoin.record(&worker, now);
            *state.counts.by_worker.entry(worker).or_default() += 1;
        }
        if state.counts.failed + state.counts.wrong <= Self::TROUBLES_MAX as u64 {
            state.troubles.extend(trouble);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().counts.clone()
    }

    /// What went wrong since this was last asked.
    pub(crate) fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().troubles)
    }

    /// How long the slowest call took that has ended since this was last asked.
    pub(crate) fn take_slowest(&self) -> Duration {
        std::mem::take(&mut self.0.lock().slowest)
    }

    /// A worker is about to be killed.
    pub(crate) fn kill_begins(&self) {
        self.0.lock().reroute.begins = Some(Instant::now());
    }

    /// The worker is dead.
    pub(crate) fn kill_ended(&self) {
        self.0.lock().reroute.ended = Some(Instant::now());
    }

    /// A worker of this label is being started.
    pub(crate) fn restarted(&self, label: &str, at: Instant) {
        self.0.lock().rejoin = Rejoin { awaited: Some((label.to_owned(), at)), took: None };
    }

    /// See [`Reroute`]. `None` if nothing was killed.
    pub(crate) fn rerouted(&self) -> Option<Duration> {
        self.0.lock().reroute.longest
    }

    /// From the restart to the first answer of the worker; `None` as long as there was none.
    pub(crate) fn rejoined(&self) -> Option<Duration> {
        self.0.lock().rejoin.took
    }
}

/// The longest that a call took which was in flight when the worker was killed, or begun in the second after.
///
/// The kill happens in another process, between `begins` and `ended`. A call counts if it was in flight at any time in
/// between, so that none is left out; one that needs not count can only make the figure larger.
#[derive(Debug, Default)]
struct Reroute {
    begins: Option<Instant>,
    ended: Option<Instant>,
    longest: Option<Duration>,
}

impl Reroute {
    const AFTER: Duration = Duration::from_secs(1);

    fn record(&mut self, begun: Instant, answered: Instant) {
        let Some(begins) = self.begins else { return };
        let counts = answered >= begins && self.ended.is_none_or(|ended| begun <= ended + Self::AFTER);
        if counts {
            self.longest = self.longest.max(Some(answered.duration_since(begun)));
        }
    }
}

/// How long a worker took from its restart to its first answer.
#[derive(Debug, Default)]
struct Rejoin {
    awaited: Option<(String, Instant)>,
    took: Option<Duration>,
}

impl Rejoin {
    fn record(&mut self, worker: &str, now: Instant) {
        if let Some((_, restarted)) = self.awaited.take_if(|(label, _)| label == worker) {
            self.took = Some(now.duration_since(restarted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_counted_once() {
        let tally = Tally::default();
        for outcome in [
            Outcome::Right("a".into()),
            Outcome::Right("b".into()),
            Outcome::Wrong("b".into()),
            Outcome::Failed("no worker".into()),
        ] {
            tally.record(Instant::now(), outcome);
        }
        let counts = tally.counts();
        assert_eq!((counts.calls(), counts.ok, counts.wrong, counts.failed), (4, 2, 1, 1));
        assert_eq!(counts.by_worker, BTreeMap::from([("a".into(), 1), ("b".into(), 2)]));
        assert_eq!(tally.take_troubles(), ["b gave a wrong answer", "a call failed: no worker"]);
        assert_eq!(tally.take_troubles(), [""; 0]);
    }

    #[test]
    fn only_calls_around_the_kill_are_rerouted() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut reroute = Reroute::default();
        reroute.record(at(0), at(900));
        assert_eq!(reroute.longest, None);
        reroute.begins = Some(at(1000));
        // Ended before; in flight; begun while it went on.
        for (begun, answered) in [(0, 999), (990, 1020), (1005, 1010)] {
            reroute.record(at(begun), at(answered));
        }
        assert_eq!(reroute.longest, Some(Duration::from_millis(30)));
        reroute.ended = Some(at(1010));
        reroute.record(at(2010), at(2050));
        reroute.record(at(2011), at(2999));
        assert_eq!(reroute.longest, Some(Duration::from_millis(40)));
    }

    #[test]
    fn the_first_answer_of_the_restarted_worker_counts() {
        let start = Instant::now();
        let mut rejoin = Rejoin::default();
        rejoin.record("b", start);
        rejoin.awaited = Some(("b".into(), start));
        rejoin.record("a", start + Duration::from_secs(1));
        assert_eq!(rejoin.took, None);
        rejoin.record("b", start + Duration::from_secs(2));
        rejoin.record("b", start + Duration::from_secs(3));
        assert_eq!(rejoin.took, Some(Duration::from_secs(2)));
    }
}
