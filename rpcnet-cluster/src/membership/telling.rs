//! Members whom a stream's records accuse are told of it, a few at a time.
//!
//! At the end of a split one page of records may accuse half of the cluster. Each of these gets the time of a suspicion to refute,
//! and each is told by whoever reads the page: at once that would be a burst of as many datagrams as there are accused.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use super::limits::{TOLD_AT_ONCE, TOLD_EVERY};
use super::node::Phase;
use super::{Membership, NodeId, NodeState};

/// Who is to be told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// In the order of the news, each once.
    waiting: VecDeque<NodeId>,
    known: BTreeSet<NodeId>,
    /// When the next few may be told.
    not_before: Option<Instant>,
}

impl Telling {
    pub(super) fn push(&mut self, id: NodeId) {
        if self.known.insert(id) {
            self.waiting.push_back(id);
        }
    }

    fn pop(&mut self) -> Option<NodeId> {
        let id = self.waiting.pop_front()?;
        self.known.remove(&id);
        Some(id)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.waiting.is_empty())
    }
}

impl Membership {
    /// Tells the next few. Who was refuted or convicted meanwhile has nothing to refute.
    pub(super) fn tell_some(&mut self, now: Instant) {
        if self.telling.waiting.is_empty() || self.telling.not_before.is_some_and(|at| at > now) {
            return;
        }
        if !matches!(self.phase, Phase::Running) {
            self.telling = Telling::default();
            return;
        }
        self.telling.not_before = Some(now + TOLD_EVERY);
        let mut told = 0;
        while told < TOLD_AT_ONCE
            && let Some(id) = self.telling.pop()
        {
            let suspect = self.table.get(id).filter(|member| member.state() == NodeState::Suspect);
            if let Some(to) = suspect.map(|member| member.record.profile.addr) {
                self.tell(now, id, to);
                told += 1;
            }
        }
    }
}
