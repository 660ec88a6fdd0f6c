//! The table of requests, in memory: time is an argument, the answers are bytes.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{CacheLimits, Key};
use crate::{client::caller::Answer, status::Status, time::later};

/// Requests by key.
#[derive(Debug)]
pub(super) struct Table {
    limits: CacheLimits,
    entries: HashMap<Key, Entry>,
    /// What has ended, in the order in which it is forgotten.
    ended: VecDeque<(Instant, Key)>,
    /// Bytes of the answers in `entries`.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    fingerprint: u128,
    state: State,
}

type Waiter = oneshot::Sender<Result<Answer, Status>>;

#[derive(Debug)]
enum State {
    InFlight(Vec<Waiter>),
    Done(Answer),
    /// It ran, and its answer was not kept.
    Completed,
    /// It began, and how it ended is not known.
    Lost,
}

/// What a look-up found.
#[derive(Debug)]
pub(super) enum Found {
    New,
    InFlight(oneshot::Receiver<Result<Answer, Status>>),
    Done(Answer),
    Completed,
    Lost,
    OtherArguments,
    Full { retry_after: Duration },
}

/// How a request ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Answer),
    NothingRan,
    Lost,
}

impl Table {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { limits, entries: HashMap::new(), ended: VecDeque::new(), bytes: 0 }
    }

    /// Looks a request up; a new one is entered as running.
    pub(super) fn begin(&mut self, now: Instant, key: Key, fingerprint: u128) -> Found {
        self.forget(now);
        if let Some(entry) = self.entries.get_mut(&key) {
            return entry.found(fingerprint);
        }
        if self.entries.len() >= self.limits.entries_max {
            let oldest = self.ended.front().map_or(now, |(until, _)| *until);
            return Found::Full {
                retry_after: oldest.saturating_duration_since(now).max(Duration::from_millis(1)),
            };
        }
        self.entries.insert(key, Entry { fingerprint, state: State::InFlight(Vec::new()) });
        Found::New
    }

    /// Enters how a request ended, and gives back whoever waits for it.
    pub(super) fn end(&mut self, now: Instant, key: Key, outcome: &Outcome) -> Vec<Waiter> {
        let Some(mut entry) = self.entries.remove(&key) else { return Vec::new() };
        let ended = match outcome {
            Outcome::NothingRan => None,
            Outcome::Lost => Some(State::Lost),
            Outcome::Answered(answer) => Some(self.keep(answer)),
        };
        let before = match ended {
            Some(ended) => std::mem::replace(&mut entry.state, ended),
            None => std::mem::replace(&mut entry.state, State::Lost),
        };
        if !matches!(outcome, Outcome::NothingRan) {
            self.entries.insert(key, entry);
            self.ended.push_back((later(now, self.limits.window), key));
        }
        match before {
            State::InFlight(waiters) => waiters,
            State::Done(_) | State::Completed | State::Lost => Vec::new(),
        }
    }

    fn keep(&mut self, answer: &Answer) -> State {
        let length = answer.len();
        if length > self.limits.answer_bytes_max || self.bytes + length > self.limits.bytes_max {
            return State::Completed;
        }
        self.bytes += length;
        State::Done(answer.clone())
    }

    /// Forgets what is older than the window.
    fn forget(&mut self, now: Instant) {
        while let Some((_, key)) = self.ended.pop_front_if(|(until, _)| *until <= now) {
            if let Some(Entry { state: State::Done(answer), .. }) = self.entries.remove(&key) {
                self.bytes -= answer.len();
            }
        }
    }
}

impl Entry {
    fn found(&mut self, fingerprint: u128) -> Found {
        if self.fingerprint != fingerprint {
            return Found::OtherArguments;
        }
        match &mut self.state {
            State::InFlight(waiters) => {
                // Repeats that gave up are let go, so that a client that retries for ever does not pile them up.
                if waiters.len().is_power_of_two() {
                    waiters.retain(|waiter| !waiter.is_closed());
                }
                let (sender, receiver) = oneshot::channel();
                waiters.push(sender);
                Found::InFlight(receiver)
            }
            State::Done(answer) => Found::Done(answer.clone()),
            State::Completed => Found::Completed,
            State::Lost => Found::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::descriptor::MethodId;

    const WINDOW: Duration = Duration::from_secs(60);

    fn limits() -> CacheLimits {
        CacheLimits { window: WINDOW, entries_max: 3, bytes_max: 100, answer_bytes_max: 60 }
    }

    fn key(n: u128) -> Key {
        Key { method: MethodId::of("Bank/charge"), request_id: Uuid::from_u128(n) }
    }

    fn answered(bytes: usize) -> Outcome {
        Outcome::Answered(Answer::Ok(Bytes::from(vec![7; bytes])))
    }

    #[test]
    fn a_repeat_is_attached_while_the_first_runs_and_answered_from_then_on() {
        let (mut table, now) = (Table::new(limits()), Instant::now());
        assert!(matches!(table.begin(now, key(1), 5), Found::New));
        let Found::InFlight(mut attached) = table.begin(now, key(1), 5) else { panic!("it runs") };
        assert_eq!(table.end(now, key(1), &answered(4)).len(), 1);
        assert!(attached.try_recv().is_err(), "the table hands the waiters back and answers nobody itself");
        let just_within = now + WINDOW - Duration::from_nanos(1);
        assert!(
            matches!(table.begin(just_within, key(1), 5), Found::Done(Answer::Ok(bytes)) if bytes.len() == 4)
        );
        assert!(matches!(table.begin(now + WINDOW, key(1), 5), Found::New));
    }

    #[test]
    fn other_arguments_under_a_known_id_are_refused_running_or_done() {
        let (mut table, now) = (Table::new(limits()), Instant::now());
        table.begin(now, key(1), 5);
        assert!(matches!(table.begin(now, key(1), 6), Found::OtherArguments));
        table.end(now, key(1), &answered(4));
        assert!(matches!(table.begin(now, key(1), 6), Found::OtherArguments));
    }

    #[test]
    fn what_was_cut_short_is_not_run_again_and_what_never_ran_is() {
        let (mut table, now) = (Table::new(limits()), Instant::now());
        table.begin(now, key(1), 5);
        table.end(now, key(1), &Outcome::Lost);
        assert!(matches!(table.begin(now, key(1), 5), Found::Lost));
        table.begin(now, key(2), 5);
        table.end(now, key(2), &Outcome::NothingRan);
        assert!(matches!(table.begin(now, key(2), 5), Found::New));
    }

    #[test]
    fn an_answer_over_a_limit_is_remembered_as_completed() {
        let (mut table, now) = (Table::new(limits()), Instant::now());
        for (n, bytes) in [(1, 61), (2, 60), (3, 41)] {
            table.begin(now, key(n), 5);
            table.end(now, key(n), &answered(bytes));
        }
        assert!(matches!(table.begin(now, key(1), 5), Found::Completed), "larger than one answer may be");
        assert!(matches!(table.begin(now, key(2), 5), Found::Done(_)));
        assert!(matches!(table.begin(now, key(3), 5), Found::Completed), "all answers together");
    }

    #[test]
    fn a_full_table_refuses_new_requests_and_says_when_there_is_room() {
        let (mut table, now) = (Table::new(limits()), Instant::now());
        for n in 1..=3 {
            table.begin(now, key(n), 5);
            table.end(now, key(n), &answered(1));
        }
        let later = now + Duration::from_secs(10);
        let Found::Full { retry_after } = table.begin(later, key(4), 5) else { panic!("full") };
        assert_eq!(retry_after, Duration::from_secs(50));
        assert!(matches!(table.begin(later, key(1), 5), Found::Done(_)), "what is known is still answered");
        assert!(matches!(table.begin(later + retry_after, key(4), 5), Found::New));
    }

    proptest! {
        /// Against the rule in one line: within the window of a request's end, its id never runs again.
        #[test]
        fn no_request_runs_twice_within_its_window(
            steps in prop::collection::vec((0..4u128, 0..3u8, 0..50u64), 1..200)
        ) {
            let (mut table, mut now) = (Table::new(limits()), Instant::now());
            let mut running = std::collections::BTreeSet::new();
            let mut ended = std::collections::BTreeMap::new();
            for (n, outcome, pass) in steps {
                now += Duration::from_secs(pass);
                if matches!(table.begin(now, key(n), 5), Found::New) {
                    prop_assert!(running.insert(n), "it is still running");
                    prop_assert!(ended.get(&n).is_none_or(|end| *end + WINDOW <= now), "its answer is remembered");
                } else if running.remove(&n) {
                    let outcome = [answered(10), Outcome::Lost, Outcome::NothingRan].into_iter().nth(outcome.into());
                    let outcome = outcome.unwrap();
                    match outcome {
                        Outcome::NothingRan => ended.remove(&n),
                        _ => ended.insert(n, now),
                    };
                    table.end(now, key(n), &outcome);
                }
                prop_assert!(table.entries.len() <= 3 && table.bytes <= 100);
            }
        }
    }
}
