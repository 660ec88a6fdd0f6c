//! One call over several workers: whom to try, when, and when to stop. Pure: the field, the time and the dice are arguments.
//!
//! ```text
//!             ┌──────────────── handle_failure ◄─────────────── it failed
//!             ▼                                                     │
//!   new ──► next ──► Try ──► (the shell picks) handle_started ──► attempt ──► answered: the end
//!             │  ▲                                  ▲                │
//!             │  │                    a second one, beside it: hedge ┘ it takes long
//!             │  └── Wait ◄─┐  time passed, or the registry changed
//!             ├─────────────┘
//!             └──► GiveUp
//! ```

use std::time::{Duration, Instant};

use rpcnet::{Executed, Idempotency, Status};

use super::{
    backoff::Backoff,
    budget::Budget,
    field::{Eligible, Runner, Tries, eligible_again},
    outcome::{Class, Resend, executed_by_either, resend},
};
use crate::registry::Instance;

#[cfg(test)]
mod tests;

/// What bounds the attempts of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// How often the call may reach a worker.
    pub(crate) attempts_max: u32,
    /// How long the call waits while there is no worker, or none that can be reached.
    pub(crate) wait_for_ready: Duration,
    pub(crate) backoff: Backoff,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the call to one of these places of the field; the attempt ends by `deadline`.
    Try { among: Vec<usize>, deadline: Instant },
    /// Ask again at this time, or when the registry has changed.
    Wait { until: Instant },
    /// The call has failed.
    GiveUp(GaveUp),
}

/// Why a call was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// The failure is the call's own: another worker would say the same.
    NotRepeatable,
    /// It may have run, and its method does not say that running twice is harmless.
    MayHaveRun,
    /// It was sent as often as it may be.
    Attempts,
    /// Too many calls are being repeated already.
    Budget,
    /// The next attempt would begin after the deadline, or just has.
    Deadline,
    /// Part of what its client streams was sent, and is not there to be sent again.
    Spent,
    /// Nobody matched, or nobody could be reached, for as long as the call could wait.
    NoWorkers,
}

/// A failed attempt, as far as the schedule needs to know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    pub(crate) executed: Executed,
    pub(crate) hint: Option<Duration>,
    /// Whether part of what the client streams is gone.
    pub(crate) spent: bool,
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        Self {
            class: Class::of(status),
            executed: status.executed(),
            hint: status.retry_hint(),
            spent: false,
        }
    }
}

/// The time a while after another; what lies beyond the end of time is thirty years away.
pub(crate) fn later(begin: Instant, by: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    begin + by.min(FAR)
}

/// The attempts of one call.
///
/// Ask [`next`](Self::next) and do what it says; tell [`handle_started`](Self::handle_started) whom was picked and
/// [`handle_failure`](Self::handle_failure) how it went. While an attempt is under way, [`hedge`](Self::hedge) may name those
/// to whom a second one can go. When one of two fails, `next` is asked only after the other has too.
///
/// Resend and hedge are decided here together: stacked one upon the other, each resend would double the hedge, and each
/// would know only half of whom was tried.
///
/// Invariants: an attempt that may have run is followed, or joined, by another only where that is safe; no worker is tried
/// again before the others that can be reached, but for the keeper of a keyed call; nothing is waited for beyond the
/// deadline; at most two attempts are under way.
#[derive(Debug)]
pub(crate) struct Schedule {
    policy: Policy,
    idempotency: Idempotency,
    deadline: Instant,
    /// How long an attempt may take that is not the last.
    attempt_time: Duration,
    tries: Tries,
    /// Of a keyed call that may have run: the process that remembers it, if any does.
    keeper: Option<Instance>,
    /// Attempts that reached a worker and failed.
    sent: u32,
    /// Attempts that have not ended.
    under_way: u32,
    hedged: bool,
    executed: Executed,
    ready: Ready,
    /// Whether the last attempt reached its worker.
    reached: bool,
    /// Since when nobody is there, or everybody there is was tried and could not be reached.
    deserted_since: Option<Instant>,
    /// Whether the field was empty when it was last looked at: who comes then gets a patience of its own.
    alone: bool,
    gave_up: Option<GaveUp>,
}

/// When the next attempt may begin.
#[derive(Debug, Clone, Copy)]
struct Ready {
    /// To a worker that was not tried.
    fresh: Instant,
    /// To one that was.
    tried: Instant,
}

impl Schedule {
    pub(crate) fn new(now: Instant, deadline: Instant, idempotency: Idempotency, policy: Policy) -> Self {
        Self {
            policy,
            idempotency,
            deadline,
            attempt_time: deadline.saturating_duration_since(now) / 2,
            tries: Tries::new(),
            keeper: None,
            sent: 0,
            under_way: 0,
            hedged: false,
            executed: Executed::No,
            ready: Ready { fresh: now, tried: now },
            reached: false,
            deserted_since: None,
            alone: false,
            gave_up: None,
        }
    }

    /// The call is a repeat, and this process may have taken it before.
    pub(crate) fn kept_by(mut self, keeper: Option<Instance>) -> Self {
        self.keeper = keeper;
        self
    }

    /// When the call must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the call ran, over all its attempts.
    pub(crate) fn executed(&self) -> Executed {
        self.executed
    }

    /// What to do now, with these workers.
    pub(crate) fn next(&mut self, now: Instant, field: &[Runner]) -> Next {
        if let Some(why) = self.gave_up {
            return Next::GiveUp(why);
        }
        if now >= self.deadline {
            let deserted = self.deserted_since.is_some();
            return self.give_up(if deserted { GaveUp::NoWorkers } else { GaveUp::Deadline });
        }
        if let Some(place) = self.place_of_keeper(now, field) {
            return self.try_or_wait(now, self.ready.tried, vec![place]);
        }
        let eligible = self.eligible(field);
        let alone = std::mem::replace(&mut self.alone, eligible.among.is_empty());
        if alone && !self.alone {
            self.deserted_since = None;
        }
        if eligible.among.is_empty() {
            self.wait_for_somebody(now)
        } else if eligible.repeats {
            self.try_again(now, eligible.among)
        } else {
            self.try_or_wait(now, self.ready.fresh, eligible.among)
        }
    }

    /// Where the keeper is, as long as it can be waited for. When it is gone, whoever is asked instead refuses what it cannot
    /// know of, or shares the keeper's records.
    fn place_of_keeper(&mut self, now: Instant, field: &[Runner]) -> Option<usize> {
        let keeper = self.keeper?;
        let place = field.iter().position(|runner| runner.instance == keeper);
        if place.is_none() || !self.reached && now >= self.patience(now) {
            (self.keeper, self.deserted_since) = (None, None);
            return None;
        }
        place
    }

    fn eligible(&self, field: &[Runner]) -> Eligible {
        if self.idempotency == Idempotency::Keyed {
            let keyed: Vec<_> = field.iter().copied().map(Runner::keyed).collect();
            return eligible_again(&keyed, &self.tries);
        }
        eligible_again(field, &self.tries)
    }

    /// The call goes to this worker.
    pub(crate) fn handle_started(&mut self, instance: Instance) {
        *self.tries.entry(instance).or_default() += 1;
        self.under_way += 1;
    }

    /// Whether an attempt may be joined by a second one, if it takes long.
    pub(crate) fn may_hedge(&self) -> bool {
        let repeatable = self.idempotency.is_repeatable();
        repeatable && !self.hedged && self.under_way == 1 && self.sent + 1 < self.policy.attempts_max
    }

    /// To whom a second attempt may go now, and when it must end; nobody if there is no worker that was not tried and that
    /// nothing speaks against, or if so many are out that those who are left have enough to do.
    pub(crate) fn hedge(&self, now: Instant, field: &[Runner]) -> Option<(Vec<usize>, Instant)> {
        let out = field.iter().filter(|runner| runner.ejected).count();
        if !self.may_hedge() || now >= self.deadline || out * 2 > field.len() {
            return None;
        }
        let Eligible { among, repeats } = self.eligible(field);
        let fit = |place: &usize| !field[*place].ejected && !field[*place].suspected;
        let among: Vec<usize> = among.into_iter().filter(fit).collect();
        (!repeats && !among.is_empty()).then(|| (among, self.attempt_deadline(now)))
    }

    /// The call goes to this worker too.
    pub(crate) fn handle_hedged(&mut self, instance: Instance) {
        self.hedged = true;
        self.handle_started(instance);
    }

    /// The attempt at this worker has failed. `random` is in `0.0..1.0`.
    pub(crate) fn handle_failure(
        &mut self,
        now: Instant,
        instance: Instance,
        failure: Failure,
        budget: &mut Budget,
        random: f64,
    ) {
        self.executed = executed_by_either(self.executed, failure.executed);
        self.under_way = self.under_way.saturating_sub(1);
        match resend(failure.class, self.idempotency) {
            Resend::Never => return self.never_again(failure.class),
            Resend::ToItsKeeper => self.keeper = Some(instance),
            // Whoever is leaving takes nothing up any more.
            Resend::ToAnyone if failure.class == Class::Draining => self.keeper = None,
            Resend::ToAnyone => {}
        }
        if failure.spent {
            self.gave_up = Some(GaveUp::Spent);
        } else if failure.class.was_sent() {
            self.handle_sent(now, failure.hint, budget, random);
        } else {
            self.handle_not_sent(now, instance, random);
        }
    }

    /// What reached a worker counts, and is repeated only while the budget lasts. The first resend to another worker
    /// waits for nothing: one worker's trouble is no sign of the next one's.
    fn handle_sent(&mut self, now: Instant, hint: Option<Duration>, budget: &mut Budget, random: f64) {
        (self.reached, self.deserted_since) = (true, None);
        let delay = self.policy.backoff.delay(self.sent, random);
        self.sent += 1;
        self.ready.fresh = if self.sent == 1 { now } else { now + delay };
        self.ready.tried = now + Backoff::hinted(delay, hint);
        if self.sent >= self.policy.attempts_max {
            self.gave_up = Some(GaveUp::Attempts);
        } else if self.under_way == 0 && now < self.deadline && !budget.withdraw(now) {
            // While the other of two attempts is under way, that one is the resend, and is paid for.
            self.gave_up = Some(GaveUp::Budget);
        }
    }

    /// What reached nobody costs nobody: the next worker is tried at once. Coming back to the same one takes the longer
    /// the more often it was tried.
    fn handle_not_sent(&mut self, now: Instant, instance: Instance, random: f64) {
        self.reached = false;
        let before = self.tries.get(&instance).map_or(0, |tries| tries - 1);
        self.ready = Ready { fresh: now, tried: now + self.policy.backoff.delay(before, random) };
    }

    fn never_again(&mut self, class: Class) {
        self.gave_up = Some(match class {
            Class::Unknown | Class::Infrastructure => GaveUp::MayHaveRun,
            _ => GaveUp::NotRepeatable,
        });
    }

    /// Back to workers that were tried: after a pause, and not for long when they could not even be reached.
    fn try_again(&mut self, now: Instant, among: Vec<usize>) -> Next {
        if !self.reached && now >= self.patience(now) {
            return self.give_up(GaveUp::NoWorkers);
        }
        self.try_or_wait(now, self.ready.tried, among)
    }

    fn wait_for_somebody(&mut self, now: Instant) -> Next {
        let patience = self.patience(now);
        if now >= patience {
            return self.give_up(GaveUp::NoWorkers);
        }
        Next::Wait { until: patience.min(self.deadline) }
    }

    /// Until when to put up with there being nobody, which begins now if it has not begun before.
    fn patience(&mut self, now: Instant) -> Instant {
        later(*self.deserted_since.get_or_insert(now), self.policy.wait_for_ready)
    }

    fn try_or_wait(&mut self, now: Instant, ready: Instant, among: Vec<usize>) -> Next {
        if now >= ready {
            Next::Try { among, deadline: self.attempt_deadline(now) }
        } else if ready < self.deadline {
            Next::Wait { until: ready }
        } else {
            self.give_up(GaveUp::Deadline)
        }
    }

    /// An attempt that may be followed by another leaves it time: it has half of the call's, so that the next one has no
    /// less. Where no repeat can follow, or only one to the same worker, waiting is all one can do.
    fn attempt_deadline(&self, now: Instant) -> Instant {
        let repeatable = self.idempotency.is_repeatable();
        if repeatable && self.sent + self.under_way + 1 < self.policy.attempts_max {
            self.deadline.min(now + self.attempt_time)
        } else {
            self.deadline
        }
    }

    fn give_up(&mut self, why: GaveUp) -> Next {
        self.gave_up = Some(why);
        Next::GiveUp(why)
    }
}
