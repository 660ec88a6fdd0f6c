//! One member as this node holds it: the record of the cluster, and what is only known here.

use std::time::{Duration, Instant};

use super::held::Held;
use super::limits::{GRUDGE_FIRST, GRUDGE_FORGOTTEN, GRUDGE_LONGEST};
use super::record::Change;
use super::{Generation, NodeState};

/// A record and local facts about it. A node has one of these for each member, so it is kept small.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) record: Held,
    /// When its state last changed here; `None` for this node itself, which is here from the beginning.
    pub(crate) since: Option<Instant>,
    local: Option<Box<Local>>,
}

/// What only this node knows of a member. Of most members of a large cluster it knows nothing of this kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    /// Failed on this node's word alone, which only counts here and only while nobody else could confirm it.
    pub(crate) condemned_here: bool,
    /// When it was last told what is held of it.
    pub(crate) told: Option<Instant>,
    /// When a packet last came from it.
    pub(crate) heard: Option<Instant>,
    /// It answers helpers, but not us.
    pub(crate) link_down: bool,
    pub(crate) grudge: Grudge,
}

static NOTHING: Local = Local {
    condemned_here: false,
    told: None,
    heard: None,
    link_down: false,
    grudge: Grudge { refuted: 0, last: None, refusal_disproved: None },
};

impl Member {
    pub(crate) fn new(record: Held, now: Option<Instant>) -> Self {
        Self { record, since: now, local: None }
    }

    pub(crate) fn local(&self) -> &Local {
        self.local.as_deref().unwrap_or(&NOTHING)
    }

    pub(crate) fn local_mut(&mut self) -> &mut Local {
        self.local.get_or_insert_default()
    }

    /// Holds another record from now on, and drops what does not hold of it any more. Returns the former hash.
    pub(crate) fn take(&mut self, record: Held, change: Change) -> Option<u64> {
        let hash = self.hash();
        let raised = record.standing.incarnation > self.record.standing.incarnation;
        self.record = record;
        if let Some(local) = &mut self.local {
            local.condemned_here &= !(change.generation || raised);
            if change.generation {
                // What was learned of the old process says nothing of the new one.
                local.link_down = false;
                local.grudge = Grudge::default();
            }
        }
        hash
    }

    /// What is held of it. `Failed` on the word of one accuser is read as `Suspect`: one sick node kills nobody.
    pub(crate) fn state(&self) -> NodeState {
        let standing = &self.record.standing;
        match standing.state {
            NodeState::Failed if standing.accusers.len() < 2 && !self.local().condemned_here => {
                NodeState::Suspect
            }
            state => state,
        }
    }

    /// Its part in the comparison of views, a function of the record alone. Members that are gone are left out: nodes
    /// forget them at different times, and that must not look like a difference.
    pub(crate) fn hash(&self) -> Option<u64> {
        let standing = &self.record.standing;
        let gone = match standing.state {
            NodeState::Alive | NodeState::Suspect => false,
            NodeState::Failed => standing.accusers.len() >= 2,
            NodeState::Left => true,
        };
        (!gone).then(|| self.record.hash())
    }
}

/// What an observer remembers of its own mistaken accusations of one member.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grudge {
    refuted: u32,
    last: Option<Instant>,
    /// In this generation a refused stream has been shown not to mean that the process is gone.
    pub(crate) refusal_disproved: Option<Generation>,
}

impl Grudge {
    /// Our accusation was refuted.
    pub(crate) fn refuted(&mut self, now: Instant) {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) > GRUDGE_FORGOTTEN) {
            self.refuted = 0;
        }
        self.refuted += 1;
        self.last = Some(now);
    }

    /// Whether we may accuse by φ again: 10, 20, 40, 80 s after each refutation.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        let Some(last) = self.last else { return true };
        now.saturating_duration_since(last) >= self.pause()
    }

    fn pause(&self) -> Duration {
        let doublings = self.refuted.saturating_sub(1).min(8);
        (GRUDGE_FIRST * 2_u32.pow(doublings)).min(GRUDGE_LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refutation_doubles_the_pause_and_calm_forgives() {
        let (mut now, mut grudge) = (Instant::now(), Grudge::default());
        assert!(grudge.allows(now));
        for pause in [10, 20, 40, 80, 80].map(Duration::from_secs) {
            grudge.refuted(now);
            assert!(!grudge.allows(now + pause - Duration::from_millis(1)), "{pause:?}");
            now += pause;
            assert!(grudge.allows(now), "{pause:?}");
        }
        now += GRUDGE_FORGOTTEN;
        grudge.refuted(now);
        assert!(grudge.allows(now + GRUDGE_FIRST));
    }
}
