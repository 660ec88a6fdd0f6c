//! What holds of every cut: the verdict over any loss, and what the sides of any cut are told.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use proptest::prelude::*;
use uuid::Uuid;

use super::baseline::{BURST, Baseline};
use super::cut::{Loss, loss};
use super::{Noted, Partition, QuorumRule, Sight, Verdict, Word};
use crate::membership::{ClusterEvent, NodeId, NodeState};

/// The share whose loss is reported, where a test does not vary it.
const TENTH: f64 = 0.1;

/// A member that is lost: when it was accused, in milliseconds, and whether its process is known to be gone.
type Lost = (u64, bool);

fn id(node: usize) -> NodeId {
    NodeId::new(Uuid::from_u128(node as u128))
}

fn noted(node: usize, was: Option<NodeState>, is: NodeState, crashed: bool) -> Noted {
    let addr = SocketAddr::from(([10, 0, 0, 1], node as u16));
    Noted { id: id(node), was, is, crashed, counts: true, addr }
}

/// What is held by one of so many others and itself, when the first of the others are lost like this.
fn after(start: Instant, others: usize, lost: &[Lost]) -> Baseline {
    let mut baseline = Baseline::of(id(0), 0);
    for node in 1..=others {
        baseline.note(start, &noted(node, None, NodeState::Alive, false), 0);
    }
    baseline.form();
    for (node, &(silent, crashed)) in (1..).zip(lost) {
        let at = start + Duration::from_millis(silent);
        baseline.note(at, &noted(node, Some(NodeState::Alive), NodeState::Suspect, false), 0);
        let at = at + Duration::from_secs(4);
        baseline.note(at, &noted(node, Some(NodeState::Suspect), NodeState::Failed, crashed), 0);
    }
    baseline
}

fn verdict(others: usize, lost: &[Lost], threshold: f64) -> Loss {
    loss(&after(Instant::now(), others, lost), threshold)
}

/// Up to thirty others, of whom some are lost within half a minute. Times are coarse, so that windows end on them.
fn losses() -> impl Strategy<Value = (usize, Vec<Lost>)> {
    (1_usize..30).prop_flat_map(|others| {
        let one = ((0_u64..12).prop_map(|step| step * 2_500), any::<bool>());
        (Just(others), proptest::collection::vec(one, 0..=others))
    })
}

/// As it is said in words, without a sorted list: around one of them, four fifths within a window.
fn said_in_words(others: usize, lost: &[Lost], threshold: f64) -> Loss {
    let (gone, total) = (lost.len(), others + 1);
    let reported = gone >= 2 && gone as f64 >= threshold * total as f64;
    let window = BURST.as_millis() as u64;
    let together = |from: u64| lost.iter().filter(|&&(at, _)| at >= from && at - from <= window).count();
    if gone == 0 {
        Loss::None
    } else if !reported && (total - gone) * 2 > total {
        Loss::Few
    } else if lost.iter().filter(|(_, crashed)| *crashed).count() * 2 > gone {
        Loss::Crashed
    } else if lost.iter().any(|&(from, _)| together(from) * 5 >= gone * 4) {
        Loss::Cut
    } else {
        Loss::Trickle
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_loss_is_what_the_definition_says((others, lost) in losses(), threshold in 0.01_f64..0.5) {
        prop_assert_eq!(verdict(others, &lost, threshold), said_in_words(others, &lost, threshold));
    }

    #[test]
    fn a_loss_depends_neither_on_who_is_lost_nor_on_the_hour(
        (others, lost) in losses(),
        seed in any::<u64>(),
        later in 0_u64..100_000,
    ) {
        let mut otherwise: Vec<_> = lost.iter().map(|&(at, crashed)| (at + later, crashed)).collect();
        Rng::with_seed(seed).shuffle(&mut otherwise);
        prop_assert_eq!(verdict(others, &otherwise, TENTH), verdict(others, &lost, TENTH));
    }

    /// Otherwise it would go on as if it were whole, next to the other half.
    #[test]
    fn whoever_loses_half_in_one_window_is_behind_a_cut_at_any_threshold(
        left in 1_usize..15,
        more in 0_usize..15,
        moments in proptest::collection::vec(0_u64..=5_000, 30),
        threshold in 0.01_f64..=0.5,
    ) {
        let lost: Vec<_> = moments.iter().take(left + more).map(|&at| (at, false)).collect();
        prop_assert_eq!(verdict(left - 1 + lost.len(), &lost, threshold), Loss::Cut);
    }

    #[test]
    fn those_who_go_one_after_the_other_are_never_behind_a_cut(
        others in 2_usize..30,
        gaps in proptest::collection::vec(5_001_u64..60_000, 2..30),
    ) {
        let moments = gaps.iter().take(others).scan(0, |at, gap| { *at += gap; Some((*at, false)) });
        prop_assert_ne!(verdict(others, &moments.collect::<Vec<_>>(), TENTH), Loss::Cut);
    }

    #[test]
    fn evidence_of_a_crash_never_makes_a_cut((others, lost) in losses(), more in 0_usize..30) {
        let mut gone = lost.clone();
        gone.iter_mut().skip(more).for_each(|(_, crashed)| *crashed = true);
        if verdict(others, &gone, TENTH) == Loss::Cut {
            prop_assert_eq!(verdict(others, &lost, TENTH), Loss::Cut);
        }
    }

    #[test]
    fn a_higher_threshold_never_reports_more(
        (others, lost) in losses(),
        one in 0.01_f64..0.5,
        other in 0.01_f64..0.5,
    ) {
        let is_reported = |threshold| !matches!(verdict(others, &lost, threshold), Loss::None | Loss::Few);
        prop_assert!(is_reported(one.min(other)) || !is_reported(one.max(other)));
    }

    /// Whoever comes back as it went leaves no trace: the rest is judged as if it had never been away.
    #[test]
    fn who_is_back_is_not_lost((others, lost) in losses(), back in any::<prop::sample::Index>()) {
        prop_assume!(!lost.is_empty());
        let (start, back) = (Instant::now(), back.index(lost.len()));
        let mut baseline = after(start, others, &lost);
        let alive = noted(back + 1, Some(NodeState::Failed), NodeState::Alive, false);
        baseline.note(start + Duration::from_secs(100), &alive, 0);
        let mut without = lost;
        without.remove(back);
        prop_assert_eq!(loss(&baseline, TENTH), verdict(others, &without, TENTH));
        prop_assert_eq!(baseline.total(), others + 1);
    }
}

/// One node of each side of a cut, which sees what all of its side do.
struct Side {
    me: usize,
    mine: Vec<usize>,
    partition: Partition,
    told: Vec<ClusterEvent>,
}

impl Side {
    /// Settled among all, and asked by nobody yet.
    fn settled(start: Instant, mine: Vec<usize>, of: usize) -> Self {
        let me = mine[0];
        let partition = Partition::new((QuorumRule::Majority, TENTH, false), id(me), 0);
        let mut side = Self { me, mine, partition, told: Vec::new() };
        for other in (0..of).filter(|&other| other != me) {
            side.partition.note(start, &noted(other, None, NodeState::Alive, false), 0);
        }
        let all: Vec<_> = (0..of).collect();
        (1..=20).for_each(|half| side.look(start + Duration::from_millis(500) * half, &all, false));
        side
    }

    /// Those of the other sides are accused and failed; alone, a node convicts nobody and knows that it is cut off.
    fn is_cut(&mut self, start: Instant, silent: &[u64]) {
        let is_alone = self.mine.len() == 1;
        let mut theirs: Vec<_> = (0..silent.len()).filter(|other| !self.mine.contains(other)).collect();
        theirs.sort_unstable_by_key(|&other| Reverse(silent[other]));
        let seen: Vec<_> = if is_alone { (0..silent.len()).collect() } else { self.mine.clone() };
        for half in 0..60 {
            let now = start + Duration::from_millis(500) * half;
            while let Some(other) =
                theirs.pop_if(|&mut other| !is_alone && is_past(start, silent[other], now))
            {
                let at = start + Duration::from_millis(silent[other]);
                self.partition.note(at, &noted(other, Some(NodeState::Alive), NodeState::Suspect, false), 0);
                self.partition.note(
                    now,
                    &noted(other, Some(NodeState::Suspect), NodeState::Failed, false),
                    0,
                );
            }
            let visible = if is_alone { &seen } else { &[&self.mine[..], &theirs].concat() };
            self.look(now, visible, is_alone);
        }
    }

    fn look(&mut self, now: Instant, visible: &[usize], cut_off: bool) {
        let observed: Vec<_> =
            visible.iter().filter(|&&node| node != self.me).map(|&node| id(node)).collect();
        let word = Word { side: self.partition.side().0, root: 1, minority: false };
        observed.iter().filter(|_| !cut_off).for_each(|&peer| self.partition.heard(now, peer, word));
        let there = || visible.iter().map(|&node| (id(node), true)).collect();
        let sight = Sight {
            me: id(self.me),
            cut_off,
            astray: false,
            healthy: true,
            root: 1,
            observed: &observed,
            silent: &[],
            visible: &there,
        };
        self.partition.drive(now, &sight, &mut Rng::with_seed(1));
        while let Some(verdict) = self.partition.poll() {
            if let Verdict::Event(event) = verdict {
                self.told.push(event);
            }
        }
    }

    /// Both lists that it was told, if it was told of a split.
    fn detected(&self) -> Option<(BTreeSet<NodeId>, BTreeSet<NodeId>)> {
        self.told.iter().find_map(|event| match event {
            ClusterEvent::PartitionDetected { minority, majority } => {
                Some((minority.iter().copied().collect(), majority.iter().copied().collect()))
            }
            _ => None,
        })
    }
}

/// Failed four seconds after it was accused.
fn is_past(start: Instant, silent: u64, now: Instant) -> bool {
    start + Duration::from_millis(silent + 4_000) <= now
}

/// The sides of a cluster whose nodes are cut apart like this, thirty seconds later.
fn cut_apart(assigned: &[usize], silent: &[u64]) -> Vec<Side> {
    let start = Instant::now();
    let of = assigned.len();
    let sides: BTreeSet<_> = assigned.iter().copied().collect();
    let mine = |side| (0..of).filter(|&node| assigned[node] == side).collect();
    let mut sides: Vec<_> = sides.into_iter().map(|side| Side::settled(start, mine(side), of)).collect();
    sides.iter_mut().for_each(|side| side.is_cut(start + Duration::from_secs(10), &silent[..of]));
    sides
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// However many sides there are, and whoever is of which.
    #[test]
    fn of_all_sides_of_a_cut_at_most_one_goes_on(
        assigned in proptest::collection::vec(0_usize..4, 2..24),
        silent in proptest::collection::vec(0_u64..2_000, 24),
    ) {
        let sides = cut_apart(&assigned, &silent);
        prop_assert!(sides.iter().filter(|side| side.partition.quorum().held).count() <= 1);
        let in_majority = |side: &&Side| side.detected().is_some_and(|(_, large)| large.contains(&id(side.me)));
        prop_assert!(sides.iter().filter(in_majority).count() <= 1);
        for side in &sides {
            let (lost, of) = (assigned.len() - side.mine.len(), assigned.len());
            if lost * 2 >= of && of > 1 {
                prop_assert!(side.detected().is_some(), "{lost} of {of} lost, and not told: {:?}", side.told);
            }
            if let Some((small, large)) = side.detected() {
                let (own, other) = if side.partition.quorum().held { (large, small) } else { (small, large) };
                prop_assert_eq!(&own, &side.mine.iter().map(|&node| id(node)).collect::<BTreeSet<_>>());
                prop_assert!(own.is_disjoint(&other));
                prop_assert_eq!(own.len() + other.len(), of, "nobody is left out");
            }
        }
    }

    /// What one side calls its minority, the other does too.
    #[test]
    fn both_sides_of_a_cut_are_told_the_same(
        assigned in proptest::collection::vec(0_usize..2, 2..24),
        silent in proptest::collection::vec(0_u64..2_000, 24),
    ) {
        let told: Vec<_> = cut_apart(&assigned, &silent).iter().filter_map(Side::detected).collect();
        if let [one, other] = &told[..] {
            prop_assert_eq!(one, other);
        }
    }
}
