//! How long a suspicion lasts: long for one accuser, short once others agree (Lifeguard §IV-B).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::NodeId;
use super::limits::{SUSPICION_PER_DOUBLING, SUSPICION_SPREAD};

/// The least suspicion time in a cluster of `live` members: a refutation needs log2 N rounds of gossip.
pub(crate) fn shortest(floor: Duration, live: usize) -> Duration {
    let doublings = (live.max(1) as f64).log2();
    floor.max(SUSPICION_PER_DOUBLING.mul_f64(doublings))
}

/// The suspicion time of a lone accuser.
pub(crate) fn longest(floor: Duration, live: usize) -> Duration {
    shortest(floor, live) * SUSPICION_SPREAD
}

/// `Smax − (Smax − Smin)·ln(C + 1)/ln(K + 1)`, at least `Smin`: `confirmations` is C, the live accusers after the
/// first; `expected` is K, how many of those there can be.
pub(crate) fn wait(floor: Duration, live: usize, confirmations: usize, expected: usize) -> Duration {
    let (min, max) = (shortest(floor, live), longest(floor, live));
    if expected == 0 {
        return max;
    }
    let share = ((confirmations + 1) as f64).ln() / ((expected + 1) as f64).ln();
    max - (max - min).mul_f64(share.min(1.0))
}

/// The running suspicions and when each is to be judged.
#[derive(Debug, Default)]
pub(crate) struct Suspicions {
    /// At most one a member.
    running: BTreeMap<NodeId, Running>,
    due: BTreeSet<(Instant, NodeId)>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    started: Instant,
    judged_at: Instant,
}

impl Suspicions {
    /// When the suspicion of this member began, if one runs.
    pub(crate) fn started(&self, id: NodeId) -> Option<Instant> {
        self.running.get(&id).map(|running| running.started)
    }

    /// Starts a suspicion, or moves the judgement of a running one.
    pub(crate) fn judge_at(&mut self, id: NodeId, started: Instant, at: Instant) {
        self.stop(id);
        self.running.insert(id, Running { started, judged_at: at });
        self.due.insert((at, id));
    }

    pub(crate) fn stop(&mut self, id: NodeId) {
        if let Some(running) = self.running.remove(&id) {
            self.due.remove(&(running.judged_at, id));
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.due.first().map(|&(at, _)| at)
    }

    /// The members whose time is up.
    pub(crate) fn due(&self, now: Instant) -> Vec<NodeId> {
        self.due.iter().take_while(|&&(at, _)| at <= now).map(|&(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_secs(3);

    #[test]
    fn more_accusers_shorten_the_wait_down_to_the_least() {
        let waits: Vec<_> = (0..4).map(|c| wait(FLOOR, 10, c, 2).as_secs_f64()).collect();
        assert_eq!(waits[0], 18.0);
        assert!((waits[1] - 8.536).abs() < 0.01, "{waits:?}");
        assert_eq!(&waits[2..], [3.0, 3.0]);
    }

    #[test]
    fn a_lone_possible_accuser_waits_longest() {
        assert_eq!(wait(FLOOR, 2, 0, 0), Duration::from_secs(18));
    }

    #[test]
    fn large_clusters_wait_for_their_gossip() {
        assert_eq!(shortest(FLOOR, 100), FLOOR);
        assert!((shortest(FLOOR, 1_000).as_secs_f64() - 3.986).abs() < 0.01);
    }
}
