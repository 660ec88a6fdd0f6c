//! What the calls came to.

use std::collections::BTreeMap;

use rpcnet::Reason;

use crate::books::Truth;

/// Calls by what their callers were told, held against what happened.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) executed_once: u64,
    /// Repeats that were answered from a record, or told that it was completed.
    pub(crate) replayed: u64,
    /// Repeats that came while the first ran, and got its answer.
    pub(crate) attached: u64,
    /// By what the last attempt said, and what had really happened where somebody sees it.
    pub(crate) unknown: BTreeMap<(Reason, Option<Truth>), u64>,
    /// Told that nothing ran, which is true.
    pub(crate) refused: u64,
    /// Changed arguments under a known id, refused.
    pub(crate) mismatched: u64,
    pub(crate) double: u64,
    pub(crate) lost: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.executed_once += other.executed_once;
        self.replayed += other.replayed;
        self.attached += other.attached;
        self.refused += other.refused;
        self.mismatched += other.mismatched;
        self.double += other.double;
        self.lost += other.lost;
        for (cause, calls) in &other.unknown {
            *self.unknown.entry(*cause).or_default() += calls;
        }
    }

    /// Nothing ran twice, and nobody was told what is not so.
    pub(crate) fn is_exact(&self) -> bool {
        self.double == 0 && self.lost == 0
    }

    /// Whether, besides, few calls were told that nobody can know.
    pub(crate) fn holds(&self) -> bool {
        self.is_exact() && self.unknown() * 100 <= self.calls
    }

    pub(crate) fn causes(&self) -> impl Iterator<Item = String> {
        self.unknown.iter().map(|((reason, truth), calls)| {
            let truth = truth.map(|truth| format!(", {truth:?}")).unwrap_or_default();
            format!("unknown, {reason:?}{truth}: {calls}")
        })
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "summary: calls={} executed_once={} replayed={} attached={} unknown={} double={} lost={} mismatched={} refused={}",
            self.calls,
            self.executed_once,
            self.replayed,
            self.attached,
            self.unknown(),
            self.double,
            self.lost,
            self.mismatched,
            self.refused,
        )
    }

    fn unknown(&self) -> u64 {
        self.unknown.values().sum()
    }
}
