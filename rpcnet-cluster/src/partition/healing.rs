//! A split, from its report to its end: kept in touch with the other side, changed, merged, reconciled, healed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::baseline::Baseline;
use crate::membership::NodeId;

/// How often the other side is looked for.
pub(crate) const CONTACT_EVERY: Duration = Duration::from_secs(2);
/// How many of the other side are asked each time, besides the seeds.
pub(crate) const CONTACTED: usize = 3;
/// Views must have agreed for so long before a split counts as healed.
const AGREED_FOR: Duration = Duration::from_secs(3);
/// With the same nodes in view on all sides for so long, what else is known of them need not be the same: somebody may change
/// its tags every second.
const AGREED_ENOUGH: Duration = Duration::from_secs(10);

/// With nobody else back for so long, whoever is still missing has ended, or is behind another cut.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(30);

/// A split that was reported.
#[derive(Debug)]
pub(crate) struct Split {
    /// Everybody who was out of reach at some time of it.
    pub(crate) lost: BTreeSet<NodeId>,
    /// When the first of them fell silent.
    pub(crate) since: Instant,
    /// When the sides were last told.
    pub(crate) told: Instant,
    /// Nobody else was on this side when it was reported.
    pub(crate) alone: bool,
    /// This node is on no side that goes on as the cluster.
    pub(crate) minority: bool,
    pub(crate) next_contact: Instant,
    /// The views were merged, and the application reconciles what it holds.
    pub(crate) reconciling: bool,
    same_side: Option<Instant>,
    same_root: Option<Instant>,
}

impl Split {
    pub(crate) fn new(now: Instant, since: Instant, lost: BTreeSet<NodeId>, minority: bool) -> Self {
        Self {
            lost,
            since,
            told: now,
            alone: false,
            minority,
            next_contact: now,
            reconciling: false,
            same_side: None,
            same_root: None,
        }
    }

    /// Those that are back, and those that are not.
    pub(crate) fn rejoined(&self, baseline: &Baseline, cut_off: bool) -> (Vec<NodeId>, Vec<NodeId>) {
        let back = |id: &NodeId| !cut_off && !baseline.gone.contains_key(id);
        self.lost.iter().copied().partition(back)
    }

    /// Nine tenths are back.
    pub(crate) fn is_over(&self, baseline: &Baseline, cut_off: bool) -> bool {
        self.missing(baseline, cut_off) * 10 <= self.lost.len()
    }

    /// Some are back, and the others have stayed away for so much longer that the link is no reason: they ended meanwhile.
    pub(crate) fn is_over_without_some(&self, now: Instant, baseline: &Baseline, cut_off: bool) -> bool {
        let long = baseline.changed.is_some_and(|at| now.saturating_duration_since(at) >= GIVEN_UP_AFTER);
        long && self.missing(baseline, cut_off) < self.lost.len()
    }

    fn missing(&self, baseline: &Baseline, cut_off: bool) -> usize {
        let gone = || baseline.gone.keys().filter(|id| self.lost.contains(id)).count();
        if cut_off { self.lost.len() } else { gone() }
    }

    /// Whether the views have agreed for long enough; `(side, root)` is whether they agree now.
    pub(crate) fn agreed(&mut self, now: Instant, (side, root): (bool, bool)) -> bool {
        self.same_side = if side { self.same_side.or(Some(now)) } else { None };
        self.same_root = if side && root { self.same_root.or(Some(now)) } else { None };
        let for_so_long = |since: Option<Instant>, wait| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= wait)
        };
        for_so_long(self.same_root, AGREED_FOR) || for_so_long(self.same_side, AGREED_ENOUGH)
    }
}
