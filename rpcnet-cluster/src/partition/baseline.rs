//! The baseline: whom this node counts, and who of them is missing.
//!
//! Only differences are held: the baseline is whoever is visible, less those who are new, and those who are gone. Its size
//! is a sum, and its memory grows with what changes, not with the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::membership::{NodeId, NodeState};

/// A network falls apart in one moment; those who fell silent in so short a time may have been cut off together.
pub(crate) const BURST: Duration = Duration::from_secs(5);

/// A refutation takes a fraction of it; an accusation that is older is not about nothing.
const REFUTED_WITHIN: Duration = Duration::from_secs(1);

/// What happened to a member, as membership tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) id: NodeId,
    pub(crate) was: Option<NodeState>,
    pub(crate) is: NodeState,
    /// Somebody has positive evidence that the process is gone.
    pub(crate) crashed: bool,
    /// It counts for the quorum: always, or because of its tags.
    pub(crate) counts: bool,
    pub(crate) addr: SocketAddr,
}

/// A member of the baseline that has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    /// When it was first accused: nearer to the moment it fell silent than the verdict is.
    pub(crate) silent: Instant,
    pub(crate) failed: Instant,
    pub(crate) crashed: bool,
    pub(crate) counts: bool,
    pub(crate) addr: SocketAddr,
}

/// Invariant: whoever is in `new` is visible, whoever is in `gone` is not; nobody is in both.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    /// There has been one.
    pub(crate) formed: bool,
    visible: usize,
    pub(crate) new: BTreeSet<NodeId>,
    pub(crate) gone: BTreeMap<NodeId, Gone>,
    suspected: BTreeMap<NodeId, Instant>,
    /// Visible, and not counted on at the moment.
    doubtful: BTreeSet<NodeId>,
    /// A hash of who is visible: equal on all nodes of one side.
    pub(crate) side: u16,
    /// When somebody last went or came back.
    pub(crate) changed: Option<Instant>,
    /// When somebody new was last met.
    pub(crate) joined: Option<Instant>,
}

impl Baseline {
    /// A node alone.
    pub(crate) fn of(me: NodeId, hash: u16) -> Self {
        Self { visible: 1, side: hash, new: BTreeSet::from([me]), ..Self::default() }
    }

    /// Takes in a change. `hash` is of the id.
    pub(crate) fn note(&mut self, now: Instant, noted: &Noted, hash: u16) {
        let Noted { id, was, is, .. } = *noted;
        match (was.is_some_and(NodeState::is_visible), is.is_visible()) {
            (false, true) => {
                self.visible += 1;
                self.side ^= hash;
                if self.gone.remove(&id).is_some() {
                    self.changed = Some(now);
                } else {
                    self.new.insert(id);
                    self.joined = Some(now);
                }
            }
            (true, false) => {
                self.visible -= 1;
                self.side ^= hash;
                let silent = self.suspected.remove(&id).unwrap_or(now);
                let stranger = self.new.remove(&id);
                // Before there is a baseline, all who were met may be of it.
                let counted = !stranger || !self.formed;
                if counted && is == NodeState::Failed {
                    let (crashed, counts, addr) = (noted.crashed, noted.counts, noted.addr);
                    self.gone.insert(id, Gone { silent, failed: now, crashed, counts, addr });
                    self.changed = Some(now);
                }
            }
            // Who is gone may have said farewell before: nothing is missing then.
            (false, false) if is == NodeState::Left && self.gone.remove(&id).is_some() => {
                self.changed = Some(now);
            }
            (false, false) => {}
            (true, true) => {}
        }
        match is {
            NodeState::Suspect => {
                self.suspected.entry(id).or_insert(now);
            }
            NodeState::Alive => {
                let since = self.suspected.remove(&id);
                if since.is_some_and(|since| self.fell_silent_about(since)) {
                    self.changed = Some(now);
                }
            }
            NodeState::Failed | NodeState::Left => {}
        }
    }

    /// Somebody who is gone fell silent about then: whoever was accused with it and is back may have been behind the same cut,
    /// and the others may come back any moment too.
    fn fell_silent_about(&self, then: Instant) -> bool {
        let apart = |gone: &Gone| gone.silent.max(then).duration_since(gone.silent.min(then));
        self.gone.values().any(|gone| apart(gone) <= BURST)
    }

    /// Members of the baseline, there or gone.
    pub(crate) fn total(&self) -> usize {
        self.inside() + self.gone.len()
    }

    /// Members of the baseline that are visible.
    pub(crate) fn inside(&self) -> usize {
        self.visible - self.new.len()
    }

    /// Nobody else is visible.
    pub(crate) fn is_alone(&self) -> bool {
        self.visible <= 1
    }

    /// Visible members that are accused.
    pub(crate) fn accused(&self) -> usize {
        self.suspected.len()
    }

    /// Who of the visible is not counted on at the moment: accused, and it has not refuted that within the second that this
    /// takes; or asked by this node, and silent.
    pub(crate) fn weigh(&mut self, now: Instant, silent: &[NodeId]) {
        let old = |since: Instant| now.saturating_duration_since(since) >= REFUTED_WITHIN;
        let accused = self.suspected.iter().filter(|&(_, &since)| old(since)).map(|(&id, _)| id);
        self.doubtful = accused.chain(silent.iter().copied()).collect();
    }

    /// Somebody is not counted on at the moment.
    pub(crate) fn has_doubtful(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// A member of the baseline that is visible, and not in doubt.
    pub(crate) fn answers(&self, id: NodeId) -> bool {
        !self.new.contains(&id) && !self.doubtful.contains(&id)
    }

    /// How many do.
    pub(crate) fn answering(&self) -> usize {
        self.inside() - self.doubtful.iter().filter(|id| !self.new.contains(id)).count()
    }

    /// The first baseline: all who were met. Returns those of them that are visible.
    pub(crate) fn form(&mut self) -> BTreeSet<NodeId> {
        self.formed = true;
        std::mem::take(&mut self.new)
    }

    /// There is none yet after all.
    pub(crate) fn unform(&mut self, met: BTreeSet<NodeId>) {
        self.formed = false;
        self.new = met;
    }

    /// From here on whoever is visible counts, and nobody else.
    pub(crate) fn renew(&mut self) {
        self.formed = true;
        self.new.clear();
        self.gone.clear();
    }
}
