//! One observed peer: its heartbeats, the answers, and how late they are.
//!
//! ```text
//!            answer                 answer (t0 cleared)
//!           ┌──────┐          ┌──────────────────────────┐
//!           ▼      │          ▼                          │
//!  heartbeat every second ──── late ──▶ re-probe every 250 ms, datagram and stream in turn
//!           t0 = oldest unanswered      │ at 500 ms: three helpers, again every second
//!                                       ▼
//!                              φ ≥ threshold and no helper reached it: accuse
//! ```

use std::time::{Duration, Instant};

use crate::detector::{Window, phi};

use super::limits::{
    HELP_AFTER, HELP_VERDICT, LATE_MIN, OUTSTANDING_MAX, REACHED_COUNTS_FOR, REPROBE, REPROBE_FAST_FOR,
    ROUND_TRIP_MAX, SIGMA_MIN, WINDOW_SAMPLES_MAX,
};
use super::output::StreamId;
use super::{Generation, Incarnation, NodeId};

/// Why a peer is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The rings say so.
    Ring,
    /// A probe of the backstop or on a hint; ends with the first answer.
    Temporary,
    /// It failed; probed so that a healed link is noticed, never judged.
    Failed,
}

/// What φ depends on besides the round trips.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement {
    pub(crate) heartbeat: Duration,
    /// Acceptable pause, stretched by the observer's own ill health.
    pub(crate) pause: Duration,
    /// Where φ crosses the threshold, in standard deviations.
    pub(crate) crossing: f64,
}

/// An observed peer.
///
/// Invariant: `t0` is set exactly while something unanswered is out, and is when *we* sent the oldest of it: an
/// observer that did not run has sent nothing and so has no evidence. Only an answer clears it; a mere packet does
/// not, or a node that hears nothing but still talks would never be found.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) purpose: Purpose,
    window: Window,
    outstanding: Vec<Sent>,
    t0: Option<Instant>,
    pub(crate) next_ping: Instant,
    /// When it last answered.
    pub(crate) answered: Option<Instant>,
    pub(crate) late: Option<Late>,
    /// The process that was asked by stream because somebody said that it is gone: said again, it says nothing new.
    pub(crate) said_gone: Option<(Generation, Incarnation)>,
    /// When the edge was last driven: the moment of accusation is a wake-up once, not again and again while something
    /// forbids accusing.
    pub(crate) driven: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    nonce: u64,
    at: Instant,
}

/// The state of a peer whose answer is late.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) next_probe: Instant,
    /// It has not been probed since it became late.
    pub(crate) fresh: bool,
    /// Datagram and stream in turn: either road may be blocked by itself (hashicorp/memberlist#37).
    pub(crate) by_stream: bool,
    /// Stream probes without an answer.
    pub(crate) streams: Vec<StreamId>,
    pub(crate) next_help: Instant,
    pub(crate) round: Option<HelpRound>,
    reached: Option<Instant>,
}

/// Helpers that were asked to probe a late peer.
#[derive(Clone, Debug)]
pub(crate) struct HelpRound {
    pub(crate) nonce: u64,
    pub(crate) asked: Vec<NodeId>,
    /// Of the asked, those whose silence says something about us: they had answered since the peer fell silent.
    pub(crate) proven: usize,
    pub(crate) replied: Vec<NodeId>,
    pub(crate) verdict_at: Instant,
}

impl HelpRound {
    /// One that is there, and was asked, has not replied.
    pub(crate) fn lacks_a_proven_one(&self) -> bool {
        self.asked.iter().take(self.proven).any(|helper| !self.replied.contains(helper))
    }
}

impl Edge {
    /// A new edge: an empty window, and the floors of φ until answers come.
    pub(crate) fn new(purpose: Purpose, now: Instant) -> Self {
        Self {
            purpose,
            window: Window::new(WINDOW_SAMPLES_MAX),
            outstanding: Vec::new(),
            t0: None,
            next_ping: now,
            answered: None,
            late: None,
            said_gone: None,
            driven: now,
        }
    }

    /// Notes that a probe went out.
    pub(crate) fn sent(&mut self, now: Instant, nonce: u64) {
        if self.outstanding.len() == OUTSTANDING_MAX {
            self.outstanding.remove(0);
        }
        self.outstanding.push(Sent { nonce, at: now });
        self.t0.get_or_insert(now);
    }

    /// An answer to one of our probes. `true` if it is one; later probes stay unanswered. Its round trip is only
    /// worth recording while both ends are well.
    pub(crate) fn answered(&mut self, now: Instant, nonce: u64, record: bool) -> bool {
        let Some(sent) = self.outstanding.iter().find(|sent| sent.nonce == nonce).copied() else {
            return false;
        };
        if record {
            self.window.record(now.saturating_duration_since(sent.at).min(ROUND_TRIP_MAX));
        }
        self.answered_up_to(now, sent.at);
        true
    }

    /// An answer, by whatever road, to something sent at `at`.
    pub(crate) fn answered_up_to(&mut self, now: Instant, at: Instant) {
        self.answered = Some(now);
        self.outstanding.retain(|sent| sent.at > at);
        if self.t0.is_none_or(|t0| t0 <= at) {
            self.t0 = self.outstanding.first().map(|sent| sent.at);
            self.late = None;
        }
    }

    /// Drops all evidence: it was gathered while this node did not run, or was cut off.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.outstanding.clear();
        self.t0 = None;
        self.late = None;
        self.next_ping = now;
    }

    pub(crate) fn t0(&self) -> Option<Instant> {
        self.t0
    }

    pub(crate) fn mean(&self) -> Option<Duration> {
        self.window.mean()
    }

    /// When the oldest unanswered probe becomes late: μ + 4σ by the measured σ, without its floor.
    pub(crate) fn late_at(&self) -> Option<Instant> {
        let usual = self.window.mean().unwrap_or_default() + self.window.deviation() * 4;
        self.t0.map(|t0| t0 + usual.max(LATE_MIN))
    }

    /// When φ reaches the threshold, if nothing is heard.
    pub(crate) fn accuse_at(&self, by: &Judgement) -> Option<Instant> {
        let expected = self.window.mean().unwrap_or_default() + by.pause;
        // Never before the helpers of the first round have had their say.
        let wait = (expected + self.sigma(by).mul_f64(by.crossing)).max(HELP_AFTER + HELP_VERDICT);
        self.t0.map(|t0| t0 + wait)
    }

    /// φ now.
    pub(crate) fn phi(&self, now: Instant, by: &Judgement) -> f64 {
        let Some(t0) = self.t0 else { return 0.0 };
        let expected = (self.window.mean().unwrap_or_default() + by.pause).as_secs_f64();
        let silent = now.saturating_duration_since(t0).as_secs_f64();
        phi((silent - expected) / self.sigma(by).as_secs_f64())
    }

    /// Neither it nor a helper that asked it has answered for so long, however usual that is.
    pub(crate) fn is_silent_for(&self, now: Instant, time: Duration) -> bool {
        let silent = self.t0.is_some_and(|t0| now.saturating_duration_since(t0) >= time);
        silent && !self.reached(now)
    }

    fn sigma(&self, by: &Judgement) -> Duration {
        self.window.deviation().max(SIGMA_MIN).max(by.heartbeat / 10)
    }

    /// A helper has reached the peer lately: the link is down, not the peer.
    pub(crate) fn reached(&self, now: Instant) -> bool {
        let reached = self.late.as_ref().and_then(|late| late.reached);
        reached.is_some_and(|at| now.saturating_duration_since(at) < REACHED_COUNTS_FOR)
    }

    /// How long until the next probe of a late peer: fast at first, for a suspicion can last long.
    pub(crate) fn reprobe_pause(&self, now: Instant, heartbeat: Duration) -> Duration {
        let fast = self.t0.is_some_and(|t0| now.saturating_duration_since(t0) < REPROBE_FAST_FOR);
        if fast { REPROBE } else { heartbeat }
    }

    /// The next moment at which this edge has something to do.
    pub(crate) fn next_timeout(&self, by: &Judgement) -> Instant {
        let Some(late) = &self.late else {
            let late_at = self.late_at().filter(|_| self.purpose != Purpose::Failed);
            return late_at.map_or(self.next_ping, |at| at.min(self.next_ping));
        };
        let accuse_at = self.accuse_at(by).filter(|&at| at > self.driven);
        let round = late.round.as_ref().map(|round| round.verdict_at);
        let others = [accuse_at, round].into_iter().flatten();
        others.fold(late.next_probe.min(late.next_help), Instant::min)
    }
}

impl Late {
    /// The peer became late just now; its oldest unanswered probe went out at `t0`.
    pub(crate) fn begin(now: Instant, t0: Instant) -> Self {
        Self {
            next_probe: now,
            fresh: true,
            by_stream: false,
            streams: Vec::new(),
            next_help: t0 + HELP_AFTER,
            round: None,
            reached: None,
        }
    }

    /// A helper's answer to the present round; `reached` if it got through.
    pub(crate) fn helper_replied(&mut self, now: Instant, helper: NodeId, nonce: u64, reached: bool) -> bool {
        let Some(round) = self.round.as_mut().filter(|round| round.nonce == nonce) else { return false };
        if !round.asked.contains(&helper) || round.replied.contains(&helper) {
            return false;
        }
        round.replied.push(helper);
        if reached {
            self.reached = Some(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::crossing;

    fn judgement() -> Judgement {
        Judgement {
            heartbeat: Duration::from_secs(1),
            pause: Duration::from_millis(1_500),
            crossing: crossing(8.0),
        }
    }

    #[test]
    fn a_new_edge_accuses_after_the_floors_alone() {
        let now = Instant::now();
        let mut edge = Edge::new(Purpose::Ring, now);
        edge.sent(now, 1);
        let wait = edge.accuse_at(&judgement()).expect("something is unanswered") - now;
        assert!((wait.as_secs_f64() - 2.061).abs() < 0.001, "{wait:?}");
        assert!((edge.phi(now + wait, &judgement()) - 8.0).abs() < 0.01);
        assert_eq!(edge.late_at(), Some(now + LATE_MIN));
    }

    /// An edge to a peer that has answered three times at once and once after it had stood still.
    fn edge_of_a_stalled_peer(now: Instant, stall: Duration) -> Edge {
        let mut edge = Edge::new(Purpose::Ring, now);
        for (nonce, round_trip) in
            [Duration::ZERO, Duration::ZERO, Duration::ZERO, stall].into_iter().enumerate()
        {
            edge.sent(now, nonce as u64);
            assert!(edge.answered(now + round_trip, nonce as u64, true));
        }
        edge
    }

    #[test]
    fn a_peer_that_stood_still_once_is_accused_not_much_later_for_it() {
        let (now, stall) = (Instant::now(), Duration::from_secs(8));
        let mut edge = edge_of_a_stalled_peer(now, stall);
        edge.sent(now + stall, 9);
        let wait = edge.accuse_at(&judgement()).expect("something is unanswered") - (now + stall);
        assert!(wait < Duration::from_secs(6), "{wait:?}");
    }

    #[test]
    fn a_peer_from_which_slow_answers_are_usual_is_silent_all_the_same() {
        let (now, slow, long) = (Instant::now(), Duration::from_millis(1_500), Duration::from_secs(3));
        let mut edge = Edge::new(Purpose::Ring, now);
        for (nonce, round_trip) in [Duration::ZERO, slow, Duration::ZERO, slow].into_iter().enumerate() {
            edge.sent(now, nonce as u64);
            assert!(edge.answered(now + round_trip, nonce as u64, true));
        }
        edge.sent(now, 9);
        assert!(edge.late_at().is_some_and(|at| at > now + long), "not late yet");
        assert!(!edge.is_silent_for(now + long / 2, long));
        assert!(edge.is_silent_for(now + long, long));
    }

    #[test]
    fn nobody_is_accused_before_the_helpers_have_had_their_say() {
        let now = Instant::now();
        let mut edge = Edge::new(Purpose::Ring, now);
        edge.sent(now, 1);
        let hasty = Judgement { pause: Duration::ZERO, crossing: crossing(1.0), ..judgement() };
        assert_eq!(edge.accuse_at(&hasty), Some(now + HELP_AFTER + HELP_VERDICT));
    }

    #[test]
    fn an_answer_to_an_older_probe_leaves_the_newer_one_unanswered() {
        let (now, ms) = (Instant::now(), Duration::from_millis(1));
        let mut edge = Edge::new(Purpose::Ring, now);
        edge.sent(now, 1);
        edge.sent(now + ms, 2);
        assert!(edge.answered(now + ms * 2, 1, true));
        assert_eq!(edge.t0(), Some(now + ms));
        assert!(!edge.answered(now + ms * 2, 1, true), "an answer counts once");
        assert!(edge.answered(now + ms * 3, 2, true));
        assert_eq!(edge.t0(), None);
        assert_eq!(edge.phi(now + ms * 9_000, &judgement()), 0.0);
    }

    #[test]
    fn a_guessed_nonce_proves_nothing() {
        let now = Instant::now();
        let mut edge = Edge::new(Purpose::Ring, now);
        edge.sent(now, 1);
        assert!(!edge.answered(now, 7, true));
        assert_eq!(edge.t0(), Some(now));
    }
}
