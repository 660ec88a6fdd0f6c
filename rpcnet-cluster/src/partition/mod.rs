//! Splits of the network: told apart from crashes, survived, healed. Pure.
//!
//! ```text
//!            many silent at once, unchanged for 5 s,            nine tenths back,        the application
//!            peers of this side agree                           views agree for 3 s      has reconciled
//!   whole ───────────────────────────────────────────▶ split ────────────────────▶ merged ───────▶ whole
//!     │ many gone, known to have crashed: `MassFailure`  │  ▲ others gone or back: `PartitionChanged`
//!     ▼                                                  └──┘
//!   whole, with a new baseline
//! ```
//!
//! Membership says who goes and comes ([`Partition::note`]) and what peers say ([`Partition::heard`]), and lets it look at
//! the whole ([`Partition::drive`]) after every input that changed something and when [`Partition::next_timeout`] is due.
//!
//! One rule keeps two sides from both going on: **a baseline is replaced only by those who hold the quorum of it.**

mod agreement;
mod baseline;
mod cut;
mod healing;
mod leader;
mod quorum;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_cut;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::membership::{ClusterEvent, NodeId};

pub(crate) use agreement::Word;
pub(crate) use baseline::Noted;
pub(crate) use leader::oldest;
pub use quorum::{Quorum, QuorumRule};

use agreement::Words;
use baseline::Baseline;
use cut::{Loss, loss};
use healing::{CONTACT_EVERY, CONTACTED, Split};
use quorum::{QuorumWatch, Tally};

/// Nobody went or came for so long: what is seen is what there is.
const STABLE: Duration = Duration::from_secs(5);
/// Peers of this side that do not agree are waited for so much longer.
const AGREEMENT: Duration = Duration::from_secs(5);
/// In a cluster where somebody goes or comes all the time, losses so old are crashes, and newcomers so old count.
const AGED: Duration = Duration::from_secs(30);
/// How often the whole is looked at while something is open.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What this node can see of itself and others at a moment.
pub(crate) struct Sight<'a> {
    pub(crate) me: NodeId,
    /// Nobody that is asked answers.
    pub(crate) cut_off: bool,
    /// This node was told of a cluster, and has not met it yet.
    pub(crate) astray: bool,
    /// This node runs well enough to judge.
    pub(crate) healthy: bool,
    pub(crate) root: u64,
    /// The visible members that this node observes.
    pub(crate) observed: &'a [NodeId],
    /// Those of them that have not answered for seconds.
    pub(crate) silent: &'a [NodeId],
    /// Who is visible, and whether it counts for the quorum. Costs a walk over all.
    pub(crate) visible: &'a dyn Fn() -> Vec<(NodeId, bool)>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Event(ClusterEvent),
    /// Ask these of the other side, and the seeds, whether they can be reached again.
    Contact(Vec<SocketAddr>),
}

/// One node's idea of the network's cuts.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    rule: QuorumRule,
    /// Share of the baseline whose loss is reported.
    threshold: f64,
    /// The application has something to do between merged views and a healed split.
    reconciles: bool,
    baseline: Baseline,
    words: Words,
    split: Option<Split>,
    /// Since when this node has been cut off from everybody.
    cut_off: Option<Instant>,
    /// For which losses a mass failure was reported.
    crashes_told: Option<Instant>,
    quorum: QuorumWatch,
    started: Option<Instant>,
    stirred: bool,
    looked: Option<Instant>,
    next: Option<Instant>,
    outputs: VecDeque<Verdict>,
}

impl Partition {
    /// Of a node that knows itself only; `hash` is of its id. The settings: whose quorum counts, the share whose loss is
    /// reported, whether the application reconciles.
    pub(crate) fn new(settings: (QuorumRule, f64, bool), me: NodeId, hash: u16) -> Self {
        let (rule, threshold, reconciles) = settings;
        let baseline = Baseline::of(me, hash);
        Self { rule, threshold, reconciles, baseline, stirred: true, ..Self::default() }
    }

    /// A member went, came or was accused. `hash` is of its id.
    pub(crate) fn note(&mut self, now: Instant, noted: &Noted, hash: u16) {
        self.baseline.note(now, noted, hash);
        self.stirred = true;
    }

    /// A packet of an observed peer.
    pub(crate) fn heard(&mut self, now: Instant, peer: NodeId, word: Word) {
        self.words.heard(now, peer, word);
    }

    /// What this node says of its side in every packet: whom it sees, and whether it knows itself to be in a minority. It
    /// knows so when it misses its quorum, seconds before it may call that a split: a process that is started again on this
    /// side would form a baseline of its own meanwhile.
    pub(crate) fn side(&self) -> (u16, bool) {
        let split = self.split.as_ref().is_some_and(|split| split.minority);
        let Baseline { formed, gone, .. } = &self.baseline;
        let misses_quorum = *formed && !gone.is_empty() && !self.quorum.current.held;
        (self.baseline.side, split || misses_quorum)
    }

    pub(crate) fn quorum(&self) -> Quorum {
        self.quorum.current
    }

    /// Somebody of the baseline is missing, or was until a moment ago: what the other side says of this one may be on its way.
    pub(crate) fn misses_anybody(&self) -> bool {
        self.split.is_some() || !self.baseline.gone.is_empty()
    }

    /// The views of this side agree, as far as this node can tell.
    pub(crate) fn agrees(&self, observed: &[NodeId]) -> bool {
        self.words.agree(observed, |word| word.side == self.baseline.side)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    pub(crate) fn poll(&mut self) -> Option<Verdict> {
        self.outputs.pop_front()
    }

    /// Something is to be looked at. `some_late`: a peer that this node observes does not answer at the moment.
    pub(crate) fn is_due(&self, now: Instant, cut_off: bool, some_late: bool) -> bool {
        let looked_lately = self.looked.is_some_and(|at| since(now, at) < LOOK_EVERY);
        let next = self.next.is_some_and(|at| at <= now);
        self.stirred || self.cut_off.is_some() != cut_off || next || (some_late && !looked_lately)
    }

    /// A split was reported, and has not healed, and this node was not alone in it: who is may be the one that is ill.
    pub(crate) fn is_cut_in_two(&self) -> bool {
        self.split.as_ref().is_some_and(|split| !split.alone)
    }

    /// The application has reconciled what it holds; ignored unless that is waited for.
    pub(crate) fn reconciled(&mut self, now: Instant) {
        if let Some(split) = self.split.take_if(|split| split.reconciling) {
            self.heal(now, &split);
        }
    }

    /// Looks at the whole.
    pub(crate) fn drive(&mut self, now: Instant, sight: &Sight<'_>, rng: &mut Rng) {
        self.stirred = false;
        self.looked = Some(now);
        self.baseline.weigh(now, sight.silent);
        let started = *self.started.get_or_insert(now);
        self.words.only(sight.observed);
        if self.cut_off.is_some() != sight.cut_off {
            self.cut_off = sight.cut_off.then_some(now);
            self.baseline.changed = Some(now);
        }
        match self.split.take() {
            Some(split) => self.go_on(now, split, sight, rng),
            None if !self.baseline.formed => self.form(now, started, sight),
            None => self.judge(now, sight),
        }
        self.count(now, sight);
        self.next = self.is_open().then_some(now + LOOK_EVERY);
    }

    fn is_open(&self) -> bool {
        let Baseline { formed, new, gone, .. } = &self.baseline;
        let doubted = self.baseline.accused() > 0 || self.baseline.has_doubtful();
        let changing = !formed || !new.is_empty() || !gone.is_empty() || self.cut_off.is_some() || doubted;
        changing || self.split.is_some() || self.quorum.regained_at().is_some()
    }

    /// The first baseline, of all who were met. Among those who know that they are a minority it is none that holds the quorum: a
    /// process that was started again there has forgotten who is missing. Nor is it one of a node that has heard of a cluster
    /// and has not found it, or of those who do not answer.
    fn form(&mut self, now: Instant, started: Instant, sight: &Sight<'_>) {
        if sight.astray && self.baseline.is_alone() {
            // It has not begun yet: the first member that it meets will not be all there are.
            self.started = Some(now);
            return;
        }
        let last = self.baseline.joined.max(self.baseline.changed).unwrap_or(started);
        let settled = since(now, last) >= STABLE || since(now, started) >= AGED;
        if !settled || sight.cut_off || !self.words.are_fresh(now, sight.observed) {
            return;
        }
        let met = self.baseline.form();
        if self.words.mostly_minority() && self.holds(sight) {
            self.baseline.unform(met);
        }
    }

    fn judge(&mut self, now: Instant, sight: &Sight<'_>) {
        if sight.cut_off {
            return self.judge_alone(now, sight);
        }
        let quiet = self.baseline.changed.map_or(AGED, |changed| since(now, changed));
        let loss = loss(&self.baseline, self.threshold);
        match loss {
            Loss::None => self.take_in_newcomers(now),
            _ if quiet < STABLE => self.let_age(now, loss, sight),
            _ if !self.is_complete(now, sight) => {}
            Loss::Few | Loss::Trickle => self.renew_by_quorum(sight),
            Loss::Crashed => self.report_crashes(sight),
            Loss::Cut if !sight.healthy => {}
            Loss::Cut if quiet < STABLE + AGREEMENT && !self.agrees(sight.observed) => {}
            Loss::Cut => self.report_split(now, sight),
        }
    }

    /// Nobody else is about to be missing: those who are still accused or silent may be of the other side too.
    fn is_complete(&self, now: Instant, sight: &Sight<'_>) -> bool {
        let accused = self.baseline.accused();
        accused * 10 <= self.baseline.gone.len() && self.words.are_fresh(now, sight.observed)
    }

    /// Cut off from everybody: this node convicts nobody then, and knows enough.
    fn judge_alone(&mut self, now: Instant, sight: &Sight<'_>) {
        let long = self.cut_off.is_some_and(|at| since(now, at) >= STABLE);
        if long && self.baseline.total() > 1 {
            self.report_split(now, sight);
        }
    }

    fn take_in_newcomers(&mut self, now: Instant) {
        if self.baseline.joined.is_none_or(|last| since(now, last) >= STABLE) {
            self.baseline.new.clear();
        }
    }

    /// Somebody goes or comes all the time: what is old enough and no cut is settled meanwhile.
    fn let_age(&mut self, now: Instant, loss: Loss, sight: &Sight<'_>) {
        let aged = self.baseline.gone.values().any(|gone| since(now, gone.failed) >= AGED);
        if aged && loss != Loss::Cut && self.holds(sight) {
            self.baseline.gone.retain(|_, gone| since(now, gone.failed) < AGED);
            self.baseline.new.clear();
        }
    }

    fn renew_by_quorum(&mut self, sight: &Sight<'_>) {
        if self.holds(sight) {
            self.baseline.renew();
        }
    }

    fn report_crashes(&mut self, sight: &Sight<'_>) {
        if self.crashes_told != self.baseline.changed {
            self.crashes_told = self.baseline.changed;
            let nodes = self.baseline.gone.keys().copied().collect();
            self.tell(ClusterEvent::MassFailure { nodes });
        }
        self.renew_by_quorum(sight);
    }

    fn report_split(&mut self, now: Instant, sight: &Sight<'_>) {
        let (mine, theirs) = self.sides(sight);
        let silent = self.baseline.gone.values().map(|gone| gone.silent).chain(self.cut_off).min();
        let minority = !self.holds(sight);
        let lost = theirs.iter().copied().collect();
        let mut split = Split::new(now, silent.unwrap_or(now), lost, minority);
        split.alone = mine.len() == 1;
        self.split = Some(split);
        let (minority, majority) = if minority { (mine, theirs) } else { (theirs, mine) };
        self.tell(ClusterEvent::PartitionDetected { minority, majority });
    }

    /// While it is split.
    fn go_on(&mut self, now: Instant, mut split: Split, sight: &Sight<'_>, rng: &mut Rng) {
        if split.next_contact <= now {
            split.next_contact = now + CONTACT_EVERY;
            let missing: Vec<_> = self.baseline.gone.values().map(|gone| gone.addr).collect();
            self.outputs.push_back(Verdict::Contact(rng.choose_multiple(missing, CONTACTED)));
        }
        let same_root = self.words.agree(sight.observed, |word| word.root == sight.root);
        let without_some =
            split.is_over_without_some(now, &self.baseline, sight.cut_off) && self.holds(sight);
        if without_some || split.is_over(&self.baseline, sight.cut_off) && self.sees_most(sight) {
            if split.agreed(now, (self.agrees(sight.observed), same_root)) && !split.reconciling {
                let (rejoined, missing) = split.rejoined(&self.baseline, sight.cut_off);
                self.tell(ClusterEvent::ViewsMerged { rejoined, missing });
                if !self.reconciles {
                    return self.heal(now, &split);
                }
                split.reconciling = true;
            }
        } else {
            split.agreed(now, (false, false));
            split.reconciling = false;
            self.note_change(now, &mut split, sight);
        }
        self.split = Some(split);
    }

    /// Others are gone, or some are back: told when that has been so for as long as a split must.
    fn note_change(&mut self, now: Instant, split: &mut Split, sight: &Sight<'_>) {
        let Some(changed) = self.baseline.changed.filter(|&changed| changed > split.told) else { return };
        if since(now, changed) < STABLE || !self.is_complete(now, sight) {
            return;
        }
        let (mine, theirs) = self.sides(sight);
        split.told = now;
        split.lost.extend(&theirs);
        split.minority = !self.holds(sight);
        let (minority, majority) = if split.minority { (mine, theirs) } else { (theirs, mine) };
        self.tell(ClusterEvent::PartitionChanged { minority, majority });
    }

    fn heal(&mut self, now: Instant, split: &Split) {
        let (rejoined, missing) = split.rejoined(&self.baseline, self.cut_off.is_some());
        self.baseline.renew();
        self.quorum.healed(now);
        self.stirred = true;
        self.next = Some(now);
        let duration = since(now, split.since);
        self.tell(ClusterEvent::PartitionHealed { rejoined, missing, duration });
    }

    /// Of the baseline: whom this node sees, and whom it does not.
    fn sides(&self, sight: &Sight<'_>) -> (Vec<NodeId>, Vec<NodeId>) {
        let there = (sight.visible)().into_iter().map(|(id, _)| id);
        let there = there.filter(|id| !self.baseline.new.contains(id));
        let (mine, cut): (Vec<_>, Vec<_>) = there.partition(|&id| !sight.cut_off || id == sight.me);
        let theirs: BTreeSet<_> = self.baseline.gone.keys().copied().chain(cut).collect();
        (mine, theirs.into_iter().collect())
    }

    fn count(&mut self, now: Instant, sight: &Sight<'_>) {
        let barred = self.split.as_ref().is_some_and(|split| split.minority) || !self.baseline.formed;
        let tally = self.tally(sight);
        self.quorum.update(now, &self.rule, tally, barred);
    }

    fn holds(&self, sight: &Sight<'_>) -> bool {
        self.rule.holds(self.tally(sight))
    }

    /// Most of the baseline is in view, be it accused or silent at the moment. Those who were lost may be back, and most of the
    /// others gone meanwhile: then it is another split, and no end of this one.
    fn sees_most(&self, sight: &Sight<'_>) -> bool {
        self.baseline.inside() * 2 > self.baseline.total() || self.holds(sight)
    }

    /// Costs a walk over the view only for a rule by tag, for an exact tie, and when cut off.
    fn tally(&self, sight: &Sight<'_>) -> Tally {
        let (inside, total) = (self.baseline.answering(), self.baseline.total());
        let by_tag = matches!(self.rule, QuorumRule::Tagged { .. });
        // Before there is a baseline nobody counts: that is no tie.
        if total == 0 || !by_tag && !sight.cut_off && inside * 2 != total {
            return Tally { inside, total, has_lowest: false };
        }
        let there = (sight.visible)();
        let counted = there.iter().filter(|(id, counts)| *counts && !self.baseline.new.contains(id));
        let reached = |id| id == sight.me || !sight.cut_off && self.baseline.answers(id);
        let (inside, mut outside): (Vec<_>, Vec<_>) = counted.map(|&(id, _)| id).partition(|&id| reached(id));
        outside.extend(self.baseline.gone.iter().filter(|(_, gone)| gone.counts).map(|(&id, _)| id));
        let has_lowest = match (inside.iter().min(), outside.iter().min()) {
            (Some(mine), Some(theirs)) => mine < theirs,
            (mine, None) => mine.is_some(),
            (None, _) => false,
        };
        Tally { inside: inside.len(), total: inside.len() + outside.len(), has_lowest }
    }

    fn tell(&mut self, event: ClusterEvent) {
        self.outputs.push_back(Verdict::Event(event));
    }
}

fn since(now: Instant, then: Instant) -> Duration {
    now.saturating_duration_since(then)
}
