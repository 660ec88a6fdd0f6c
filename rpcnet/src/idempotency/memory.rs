//! The table of requests, in memory: time is an argument, the answers are bytes.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{CacheLimits, Key};
use crate::{client::caller::Answer, status::Status};

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
            self.ended.push_back((now + self.limits.window, key));
        }
        match before {
            State::InFlight(waiters) => waiters,
            State::Done(_) | State::Completed | State::Lost => Vec::new(),
        }
    }

    fn keep(&mut self, answer: &Answer) -> State {
        let length = length(answer);
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
                self.bytes -= length(&answer);
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
                waiters.retain(|waiter| !waiter.is_closed());
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

fn length(answer: &Answer) -> usize {
    match answer {
        Answer::Ok(bytes) | Answer::App(bytes) | Answer::AppError(bytes) => bytes.len(),
    }
}
