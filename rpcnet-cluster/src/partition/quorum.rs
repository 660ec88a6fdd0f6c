//! Who may go on as the cluster: at most one side of a split, whatever the sides are.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// A quorum that was lost is held again after it has been complete for so long: a link that flaps must not open and close
/// what depends on it.
const REGAINED_AFTER: Duration = Duration::from_secs(5);

/// Which part of the cluster may go on as the whole.
///
/// What is counted is the *baseline*, the members of the last view that nobody fell out of for five seconds. Nodes that join
/// while others are missing do not count until those are back: neither side can grow into a majority.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::num::NonZeroUsize;
/// use rpcnet_cluster::{ClusterMembership, QuorumRule};
///
/// // Five nodes hold the data; three of them may write.
/// let three = NonZeroUsize::new(3).unwrap();
/// let node = ClusterMembership::builder().quorum(QuorumRule::AtLeast(three)).join().await?;
/// assert!(!node.quorum().borrow().held, "a node alone has none");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuorumRule {
    /// More than half of the baseline; at exactly half, the half with the lowest node id. The default, for clusters that
    /// grow and shrink.
    #[default]
    Majority,
    /// At least so many, and never fewer than more than half: for a cluster of known size whose quorum must not shrink
    /// with it. Five nodes of which three are needed stay read-only when three have crashed, where [`Majority`](Self::Majority)
    /// goes on with two if they crashed one after the other.
    AtLeast(NonZeroUsize),
    /// As [`Majority`](Self::Majority), among the nodes with this tag only: for a cluster in which some hold the data and the
    /// others come and go. Nobody has the quorum while no node has the tag.
    Tagged {
        /// The tag's name.
        key: String,
        /// Its value.
        value: String,
    },
}

/// Whether this node is on a side that may go on as the cluster, from [`quorum`](crate::ClusterMembership::quorum).
///
/// Advisory, as all of membership is: a node learns three seconds after a split began that it is cut off, ten at most, and
/// writes in between are accepted on both sides. What must never be written twice needs consensus.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::ClusterMembership;
///
/// let node = ClusterMembership::builder().join().await?;
/// let quorum = *node.quorum().borrow();
/// println!("{} of {}, {} are needed", quorum.visible, quorum.total, quorum.needed);
/// assert!(!quorum.held, "no node holds it in its first five seconds");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quorum {
    /// The quorum is held. Lost at once; held again when it has been complete for five seconds, and after a split that
    /// this node was in the minority of, when [`PartitionHealed`](crate::ClusterEvent::PartitionHealed) is told. Not held in
    /// the first five seconds of a node, nor by one that has seeds and has met nobody.
    pub held: bool,
    /// Those who count and answer, this node among them if it counts: whoever has been accused for a second, or has not
    /// answered this node for three, is left out.
    pub visible: usize,
    /// So many are needed.
    pub needed: usize,
    /// Those who count, there or not.
    pub total: usize,
    /// Raised whenever the quorum is lost or held again. Of this node: not comparable between nodes.
    pub epoch: u64,
}

/// Those who count, on this side and in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) inside: usize,
    pub(crate) total: usize,
    /// The lowest id of all that count is on this side.
    pub(crate) has_lowest: bool,
}

impl QuorumRule {
    /// How many are needed on this side.
    pub(crate) fn needed(&self, tally: Tally) -> usize {
        let majority = tally.total / 2 + 1;
        match self {
            Self::AtLeast(least) => majority.max(least.get()),
            Self::Majority | Self::Tagged { .. } => {
                let tie = tally.total > 0 && tally.inside * 2 == tally.total;
                if tie && tally.has_lowest { tally.inside } else { majority }
            }
        }
    }

    pub(crate) fn holds(&self, tally: Tally) -> bool {
        tally.inside >= self.needed(tally)
    }
}

/// The quorum as it is told: lost at once, regained slowly.
#[derive(Debug, Default)]
pub(crate) struct QuorumWatch {
    pub(crate) current: Quorum,
    complete_since: Option<Instant>,
}

impl QuorumWatch {
    /// `barred` while a split lasts that this node is in the minority of.
    pub(crate) fn update(&mut self, now: Instant, rule: &QuorumRule, tally: Tally, barred: bool) {
        let Quorum { held, epoch, .. } = self.current;
        let (visible, needed, total) = (tally.inside, rule.needed(tally), tally.total);
        let complete = visible >= needed;
        self.complete_since = if complete { self.complete_since.or(Some(now)) } else { None };
        // The first is not awaited: nothing was lost before.
        let waited = epoch == 0 || self.regained_at().is_some_and(|at| at <= now);
        let held_now = complete && !barred && (held || waited);
        self.current =
            Quorum { held: held_now, visible, needed, total, epoch: epoch + u64::from(held != held_now) };
    }

    /// A split is healed: its views have agreed for long enough, which is all that is waited for.
    pub(crate) fn healed(&mut self, now: Instant) {
        self.complete_since = self.complete_since.and(now.checked_sub(REGAINED_AFTER));
    }

    /// When the quorum will be held, if it stays complete.
    pub(crate) fn regained_at(&self) -> Option<Instant> {
        let since = self.complete_since.filter(|_| !self.current.held)?;
        Some(since + REGAINED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(inside: usize, total: usize, has_lowest: bool) -> Tally {
        Tally { inside, total, has_lowest }
    }

    #[test]
    fn which_side_goes_on() {
        let three = QuorumRule::AtLeast(NonZeroUsize::new(3).expect("three is not zero"));
        let table = [
            // (rule, inside, total, has the lowest id, goes on)
            (&QuorumRule::Majority, 3, 5, false, true),
            (&QuorumRule::Majority, 2, 5, true, false),
            (&QuorumRule::Majority, 2, 4, true, true),
            (&QuorumRule::Majority, 2, 4, false, false),
            (&QuorumRule::Majority, 1, 2, true, true),
            (&QuorumRule::Majority, 1, 1, true, true),
            (&QuorumRule::Majority, 0, 0, false, false),
            (&three, 3, 5, false, true),
            (&three, 2, 2, true, false),
            // Sixteen nodes of which three would do: both sides would go on.
            (&three, 3, 16, true, false),
            (&three, 2, 4, true, false),
        ];
        for (rule, inside, total, lowest, goes_on) in table {
            assert_eq!(
                rule.holds(tally(inside, total, lowest)),
                goes_on,
                "{rule:?} {inside} of {total}, {lowest}"
            );
        }
    }

    #[test]
    fn a_quorum_is_lost_at_once_and_held_again_after_five_seconds() {
        let (start, rule) = (Instant::now(), QuorumRule::Majority);
        let at = |secs| start + Duration::from_secs(secs);
        let mut watch = QuorumWatch::default();
        watch.update(at(0), &rule, tally(5, 5, true), false);
        assert!(watch.current.held);
        watch.update(at(1), &rule, tally(2, 5, true), false);
        assert_eq!(watch.current, Quorum { held: false, visible: 2, needed: 3, total: 5, epoch: 2 });
        watch.update(at(2), &rule, tally(5, 5, true), false);
        assert!(!watch.current.held);
        assert_eq!(watch.regained_at(), Some(at(7)));
        watch.update(at(4), &rule, tally(2, 5, true), false);
        watch.update(at(5), &rule, tally(5, 5, true), false);
        watch.update(at(9), &rule, tally(5, 5, true), false);
        assert!(!watch.current.held);
        watch.update(at(10), &rule, tally(5, 5, true), false);
        assert_eq!(watch.current, Quorum { held: true, visible: 5, needed: 3, total: 5, epoch: 3 });
        watch.update(at(20), &rule, tally(5, 5, true), true);
        assert!(!watch.current.held);
    }

    proptest! {
        /// However a baseline is cut, into however many sides, by whatever rule.
        #[test]
        fn no_cut_has_two_majorities(
            sides in proptest::collection::vec(0_usize..4, 0..40),
            tagged in proptest::collection::vec(any::<bool>(), 40),
            least in proptest::option::of(1_usize..50),
            by_tag in any::<bool>(),
        ) {
            let rule = match least.and_then(NonZeroUsize::new) {
                Some(least) => QuorumRule::AtLeast(least),
                None if by_tag => QuorumRule::Tagged { key: "role".into(), value: "db".into() },
                None => QuorumRule::Majority,
            };
            let counts = |node: usize| !by_tag || tagged[node];
            let counted: Vec<_> = (0..sides.len()).filter(|&node| counts(node)).collect();
            let going_on = (0..4).filter(|&side| {
                let inside = counted.iter().filter(|&&node| sides[node] == side).count();
                let has_lowest = counted.first().is_some_and(|&node| sides[node] == side);
                rule.holds(tally(inside, counted.len(), has_lowest))
            });
            prop_assert!(going_on.count() <= 1);
        }
    }
}
