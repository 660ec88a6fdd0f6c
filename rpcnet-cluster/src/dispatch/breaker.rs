//! Whether a worker is worth a call: one machine for what became of connections to it and of calls.
//!
//! ```text
//!            refused: 100 ms · 2ⁿ, at most 10 s
//!            failing: 1 s · 2ᵏ, at most 60 s             its time is over:
//!            lost:    0                                  one call is let through
//!   Closed ─────────────────────────────────────► Open ────────────────────────► HalfOpen
//!     ▲                                            ▲ refused, or the call failed   │ │
//!     │                                            └───────────────────────────────┘ │
//!     └──────────────────────────────────────────────────────────────────────────────┘
//!            failing: the call was answered; else: a connection was opened
//! ```
//!
//! Pure: time and dice are arguments.

use std::time::{Duration, Instant};

use super::record::Record;

#[cfg(test)]
mod tests;

/// When a [`Breaker`] opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// So many failures with no success between them open it.
    pub(crate) failures_in_a_row: u32,
    /// So does a smaller share of successes than this among the last thirty seconds' calls.
    pub(crate) success_share_min: f64,
    /// Of fewer calls a share says nothing.
    pub(crate) calls_min: u32,
    /// The first period, doubled each further time.
    pub(crate) open_first: Duration,
    /// The longest.
    pub(crate) open_max: Duration,
}

impl Limits {
    /// Five in a row: with one call in ten failing by chance, five do so once in a hundred thousand. Under 80 % of twenty: a
    /// worker that fails one call in five costs more in resends than its absence does. A second is a restarted dependency;
    /// a minute is soon enough to look at what stays broken.
    ///
    /// Envoy's outlier detection has the same five and the same share of successes in question; the doubled period is its
    /// `base_ejection_time`, with a shorter beginning, since a probe is one call and not all.
    pub(crate) const DEFAULT: Self = Self {
        failures_in_a_row: 5,
        success_share_min: 0.8,
        calls_min: 20,
        open_first: Duration::from_secs(1),
        open_max: Duration::from_secs(60),
    };
}

/// What a call that has ended says of who served it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was served, whatever the answer.
    Served,
    /// It was not: no answer in time, the connection broke under it, the handler panicked.
    Failed,
    /// Nothing: it was given up, never got there, or was refused by one who is well.
    Nothing,
}

/// Which calls a result is about: those begun before the last change of state say nothing of the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    /// Of a call that is not heard: there are never so many changes.
    const BESIDE_A_TRIAL: Self = Self(u64::MAX);

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// Why it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// So many connections in a row could not be opened.
    Refused(u32),
    /// The connection broke, and nothing more is known.
    Lost,
    /// Calls fail.
    Failing,
}

/// What a [`CircuitBreaker`](crate::CircuitBreaker) lets through.
///
/// ```
/// use rpcnet_cluster::{CircuitBreaker, CircuitState};
///
/// assert_eq!(CircuitBreaker::new().state(), CircuitState::Closed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// Every call.
    Closed,
    /// None, or the next one as a trial when its time is over.
    Open,
    /// None: one is trying.
    HalfOpen,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// It serves, or nobody has tried.
    Closed,
    /// Nobody tries before `until`.
    Open { until: Instant, why: Why },
    /// Somebody is trying. Nobody else does before `until`, when the trial is taken for forgotten.
    HalfOpen { until: Instant, why: Why },
}

/// A circuit breaker.
///
/// Gossip needs seconds to find a dead process and never finds one that answers nonsense; a caller knows both after a few
/// calls. It says nothing to others: this process alone stops asking.
///
/// Ask [`admits`](Self::admits) before a call, tell [`handle_picked`](Self::handle_picked) when it begins and
/// [`handle_ended`](Self::handle_ended) when it has ended, with the ticket it was given. Connections are told of by
/// `handle_connected`, `handle_lost` and `handle_refused`.
///
/// Source: Nygard, "Release It!" (2007), and Envoy's outlier detection,
/// <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier>.
#[derive(Debug)]
pub(crate) struct Breaker {
    limits: Limits,
    state: State,
    record: Record,
    /// Changes of state.
    epoch: u64,
    /// How often it opened because calls failed, without having been well for long in between.
    openings: u32,
    closed_at: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(Limits::DEFAULT)
    }
}

impl Breaker {
    /// The first period of a worker that refuses: long enough to spare the calls of a busy second, short enough to be no loss
    /// when a server was just restarting its listener.
    const REFUSED_FIRST: Duration = Duration::from_millis(100);
    /// The longest. By then gossip has found the worker dead, or this process is the only one that cannot reach it
    /// and looks again at this interval.
    const REFUSED_MAX: Duration = Duration::from_secs(10);
    /// Who was well for so long begins with the first period again.
    const FORGIVEN: Duration = Duration::from_secs(30);

    pub(crate) fn new(limits: Limits) -> Self {
        let record = Record::default();
        Self { limits, state: State::Closed, record, epoch: 0, openings: 0, closed_at: None }
    }

    /// Whether a call may begin now.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        self.open_until().is_none_or(|until| now >= until)
    }

    /// Until when no call is let through, unless a trial ends sooner.
    pub(crate) fn open_until(&self) -> Option<Instant> {
        match self.state {
            State::Closed => None,
            State::Open { until, .. } | State::HalfOpen { until, .. } => Some(until),
        }
    }

    /// What [`handle_picked`](Self::handle_picked) would give while this is closed: nothing else comes of it then.
    pub(crate) fn ticket_if_closed(&self) -> Option<Ticket> {
        matches!(self.state, State::Closed).then_some(Ticket(self.epoch))
    }

    /// The state by its name.
    pub(crate) fn circuit(&self) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Whether no call may begin now because no connection could be opened. One whose connection broke, and nothing more, may
    /// be as well as ever.
    pub(crate) fn is_refused(&self, now: Instant) -> bool {
        matches!(self.why(), Some(Why::Refused(_))) && !self.admits(now)
    }

    /// Whether no call may begin now because calls fail.
    pub(crate) fn is_failing(&self, now: Instant) -> bool {
        self.why() == Some(Why::Failing) && !self.admits(now)
    }

    /// Whether nobody should try yet, not even once.
    pub(crate) fn is_out(&self, now: Instant) -> bool {
        matches!(self.state, State::Open { until, .. } if now < until)
    }

    /// A call begins. If this was open, it is the trial, and until `connected_by`, or `served_by` where connections are not
    /// what is in doubt, the only one.
    pub(crate) fn handle_picked(
        &mut self,
        now: Instant,
        connected_by: Instant,
        served_by: Instant,
    ) -> Ticket {
        match self.state {
            State::Open { until, why } | State::HalfOpen { until, why } if now >= until => {
                let until = if why == Why::Failing { served_by } else { connected_by };
                self.change(State::HalfOpen { until, why });
            }
            // It goes there because there is no other, or for its key. One that is given up must not make room for a second
            // trial while the first is under way.
            State::HalfOpen { .. } => return Ticket::BESIDE_A_TRIAL,
            State::Closed | State::Open { .. } => {}
        }
        Ticket(self.epoch)
    }

    /// A call has ended. `random` in `0.0..1.0` spreads the period by ± 50 %, so that the callers that left together do not
    /// come back together.
    pub(crate) fn handle_ended(&mut self, now: Instant, ticket: Ticket, verdict: Verdict, random: f64) {
        if ticket != Ticket(self.epoch) {
            return;
        }
        match (self.state, verdict) {
            (State::Closed, Verdict::Served | Verdict::Failed) => {
                self.record.add(now, verdict == Verdict::Served);
                if self.record.is_bad(now, &self.limits) {
                    self.open_failing(now, random);
                }
            }
            (State::HalfOpen { why: Why::Failing, .. }, Verdict::Served) => self.close(now),
            (State::HalfOpen { why: Why::Failing, .. }, Verdict::Failed) => self.open_failing(now, random),
            // The trial came to nothing: the next call is one.
            (State::HalfOpen { why: Why::Failing, .. }, Verdict::Nothing) => {
                self.change(State::Open { until: now, why: Why::Failing });
            }
            (State::Closed | State::Open { .. } | State::HalfOpen { .. }, _) => {}
        }
    }

    /// A connection is there. Whether calls are served over it is another question.
    pub(crate) fn handle_connected(&mut self) {
        if matches!(self.why(), Some(Why::Refused(_) | Why::Lost)) {
            self.change(State::Closed);
        }
    }

    /// The connection broke. Whoever is picked next tries to open another, and the rest stay away until it has. However
    /// many calls were on it, it is one failure; one that breaks again and again is a failing worker.
    pub(crate) fn handle_lost(&mut self, now: Instant, random: f64) {
        if let State::Closed = self.state {
            self.record.add(now, false);
            if self.record.is_bad(now, &self.limits) {
                self.open_failing(now, random);
            } else {
                self.change(State::Open { until: now, why: Why::Lost });
            }
        }
    }

    /// No connection could be opened.
    ///
    /// While it is out it is tried only because there is no other. That it cannot be reached then is no news: the period
    /// would else grow with the number of calls, and the first worker that comes back would carry them all for long.
    pub(crate) fn handle_refused(&mut self, now: Instant, random: f64) {
        if self.is_out(now) {
            return;
        }
        let refusals = if let Some(Why::Refused(refusals)) = self.why() { refusals } else { 0 };
        let period = spread(Self::REFUSED_FIRST, refusals, Self::REFUSED_MAX, random);
        let why = Why::Refused(refusals.saturating_add(1));
        self.change(State::Open { until: now + period, why });
    }

    fn open_failing(&mut self, now: Instant, random: f64) {
        let forgiven = self.closed_at.is_some_and(|closed| now >= closed + Self::FORGIVEN);
        let before = if forgiven { 0 } else { self.openings };
        let period = spread(self.limits.open_first, before, self.limits.open_max, random);
        (self.openings, self.record) = (before.saturating_add(1), Record::default());
        self.change(State::Open { until: now + period, why: Why::Failing });
    }

    fn close(&mut self, now: Instant) {
        (self.closed_at, self.record) = (Some(now), Record::default());
        self.change(State::Closed);
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }

    fn why(&self) -> Option<Why> {
        match self.state {
            State::Closed => None,
            State::Open { why, .. } | State::HalfOpen { why, .. } => Some(why),
        }
    }
}

fn spread(first: Duration, before: u32, max: Duration, random: f64) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(before)).min(max).mul_f64(0.5 + random)
}

/// Which of those whose calls fail get calls all the same, given in order whether each is out for that, and whether for any
/// other reason.
///
/// At most a third of the workers are left alone for failing, one at least, and never the last: when all of them fail, it is
/// the calls, or what they all depend on, and the few that look better would only be drowned.
pub(crate) fn pardoned(failing: &[bool], out_otherwise: &[bool]) -> Vec<usize> {
    let places: Vec<usize> = (0..failing.len()).filter(|place| failing[*place]).collect();
    let in_already = (0..failing.len()).any(|place| !failing[place] && !out_otherwise[place]);
    let most = (failing.len() / 3).max(1);
    let left_out = if in_already { most } else { most.min(places.len().saturating_sub(1)) };
    places.into_iter().skip(left_out).collect()
}
