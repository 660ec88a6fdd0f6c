//! What the processes say of splits, held against the splits there are.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a process says of the network's sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parted {
    /// A split, or other sides of one that was told of before: `majority` is empty of the observer's side, or holds it.
    Sides {
        /// The side that does not go on.
        minority: Vec<u32>,
        /// The others.
        majority: Vec<u32>,
        /// It is the first word of this split.
        first: bool,
    },
    /// It is over.
    Healed,
    /// Many processes are gone at once.
    MassFailure,
}

/// All that was said in one run.
#[derive(Debug, Default)]
pub(crate) struct Partings {
    /// Since when, and between whom, the network is split: a side for each node.
    split: Option<(Duration, Vec<u8>)>,
    healed_at: Option<Duration>,
    must_detect: Vec<u32>,
    /// Those that hold themselves to be split, with their word: the minority, and the majority.
    told: BTreeMap<u32, (Vec<u32>, Vec<u32>)>,
    detected: BTreeMap<u32, Duration>,
    healed: BTreeMap<u32, Duration>,
    /// Reports while nothing was split, nor a moment before.
    pub(crate) false_partitions: u64,
    /// Seconds in which nodes of two sides held the quorum.
    pub(crate) two_majorities: u64,
    /// Reports of sides of the split that are not the other side's own.
    pub(crate) not_complementary: u64,
    pub(crate) mass_failures: u64,
    pub(crate) reports: u64,
    /// So much goes wrong, or so many are silent, that reports prove nothing.
    excused: bool,
}

/// What was wrong with what was said of splits, by how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) two_majorities: u64,
    pub(crate) false_partitions: u64,
    pub(crate) not_complementary: u64,
}

/// When a node has to know of a split, and of itself that it was stopped or has just begun.
pub(crate) const KNOWN_AFTER: Duration = Duration::from_secs(10);

/// How long after a split a report of it may still come.
const AFTER: Duration = Duration::from_secs(10);

impl Partings {
    pub(crate) fn split(&mut self, now: Duration, sides: Vec<u8>) {
        self.split = Some((now, sides));
        self.healed_at = None;
    }

    pub(crate) fn expect(&mut self, nodes: Vec<u32>) {
        self.must_detect = nodes;
    }

    pub(crate) fn mended(&mut self, now: Duration) {
        self.healed_at = Some(now);
    }

    /// Whether those who hold the quorum are of more than one side, which a split that has lasted must not allow.
    pub(crate) fn count_majorities<I: Iterator<Item = u32>>(
        &mut self,
        now: Duration,
        holders: impl Fn() -> I,
    ) -> bool {
        let lasts =
            |&&(since, _): &&(Duration, Vec<u8>)| self.healed_at.is_none() && now >= since + KNOWN_AFTER;
        let Some((_, sides)) = self.split.as_ref().filter(lasts) else { return false };
        let mut holding = holders().map(|node| sides[node as usize]);
        let first = holding.next();
        let two = holding.any(|side| Some(side) != first);
        self.two_majorities += u64::from(two);
        two
    }

    /// A process began anew, or ended.
    pub(crate) fn ended(&mut self, node: u32) {
        self.told.remove(&node);
    }

    pub(crate) fn note(&mut self, now: Duration, observer: u32, parted: &Parted) {
        match parted {
            Parted::Sides { minority, majority, first } => {
                self.reports += 1;
                let expected = self.split.is_some() && self.healed_at.is_none_or(|at| now < at + AFTER);
                self.false_partitions += u64::from(*first && !expected);
                if let Some((since, _)) = self.split.as_ref().filter(|_| *first) {
                    self.detected.entry(observer).or_insert(now - *since);
                }
                self.told.insert(observer, (minority.clone(), majority.clone()));
                self.compare(observer);
            }
            Parted::Healed => {
                self.told.remove(&observer);
                if let Some(at) = self.healed_at {
                    self.healed.insert(observer, now - at);
                }
            }
            Parted::MassFailure => self.mass_failures += 1,
        }
    }

    /// Two of two sides that do not say the same.
    fn compare(&mut self, observer: u32) {
        let Some((_, sides)) = &self.split else { return };
        let side = |node: u32| sides.get(node as usize).copied();
        let mine = side(observer);
        let mut others = self.told.iter().filter(|&(&node, _)| side(node) != mine);
        let two_sides = sides.iter().all(|&side| side < 2);
        let must = |node: &u32| self.must_detect.contains(node);
        let word = self.told.get(&observer);
        let differs = others.any(|(node, said)| must(node) && Some(said) != word);
        self.not_complementary += u64::from(two_sides && must(&observer) && differs);
    }

    /// When the last that must had detected it; `None` while one has not.
    pub(crate) fn detected(&self) -> Option<Duration> {
        let all = self.must_detect.iter().map(|node| self.detected.get(node).copied());
        all.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// After the end of the split, when the last of them held it to be over.
    pub(crate) fn healed(&self) -> Option<Duration> {
        let all = self.must_detect.iter().map(|node| self.healed.get(node).copied());
        all.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Many hosts fell silent at once, which cannot be told from a split.
    pub(crate) fn silenced(&mut self) {
        self.excused = true;
    }

    pub(crate) fn faults(&self) -> Faults {
        Faults {
            two_majorities: self.two_majorities,
            false_partitions: if self.excused { 0 } else { self.false_partitions },
            not_complementary: self.not_complementary,
        }
    }

    /// Nobody holds itself to be split any more.
    pub(crate) fn is_over(&self) -> bool {
        self.told.is_empty()
    }
}
