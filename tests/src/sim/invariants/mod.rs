//! What must hold in every run, one invariant a file.

mod bounded;
mod complementary;
mod convergence;
mod folds;
mod never_dead_to_oneself;
mod no_false_failure;
mod no_false_partition;
mod no_return;
mod one_majority;
mod owner_raises;
mod quorum_returns;
mod told_once;

use std::time::Duration;

use super::core::{Change, Version};

/// Violations that are kept; the others are only counted.
const KEPT: usize = 8;

/// One change in one process's view, and what the world knows of it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) observer: u32,
    /// Which start of the observer.
    pub(crate) start: u32,
    pub(crate) change: Change,
    /// What the subject says of itself now.
    pub(crate) owner: Version,
    /// The very process that the change is about runs now.
    pub(crate) lives: bool,
    pub(crate) excuse: Option<Excuse>,
}

/// Why somebody may be wrong about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// The subject has, or had a moment ago, a fault.
    Subject,
    /// The observer has.
    Observer,
    /// They are, or were a moment ago, on different sides of a split.
    Apart,
}

/// Something that a process did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// It sent a datagram of so many bytes, of at most so many.
    Datagram { bytes: usize, most: usize },
    /// It sent a request or an answer over a stream.
    Stream { bytes: usize },
    /// One input made it send so many datagrams.
    Burst { datagrams: usize },
    /// Its timer ran so often at one moment.
    Timers { times: u32 },
}

/// What is there at the end of a run.
#[derive(Debug, Default)]
pub(crate) struct End {
    /// The scenario ended with a calm phase in which all views had to become whole.
    pub(crate) calm: bool,
    /// A node whose view is not what runs, and where they differ.
    pub(crate) gap: Option<(u32, Vec<u32>)>,
    /// A node whose own list is not what its events said.
    pub(crate) misfold: Option<(u32, u32)>,
    /// A running node that does not hold the quorum.
    pub(crate) without_quorum: Option<u32>,
    /// What was wrong with what was said of splits.
    pub(crate) parted: super::parting::Faults,
}

/// Something that must hold.
pub(crate) trait Invariant {
    fn name(&self) -> &'static str;

    fn seen(&mut self, _seen: &Seen) -> Result<(), String> {
        Ok(())
    }

    fn done(&mut self, _deed: Deed) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, _end: &End) -> Result<(), String> {
        Ok(())
    }
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, since the beginning of the run.
    pub at: Duration,
    /// Which invariant.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
}

/// All of them, and what they found.
pub(crate) struct Invariants {
    all: Vec<Box<dyn Invariant>>,
    pub(crate) violations: Vec<Violation>,
    /// With those that are not kept.
    pub(crate) found: u64,
}

impl Default for Invariants {
    fn default() -> Self {
        let all: Vec<Box<dyn Invariant>> = vec![
            Box::new(no_false_failure::NoFalseFailure),
            Box::new(no_return::NoReturn::default()),
            Box::new(owner_raises::OwnerRaises),
            Box::new(told_once::ToldOnce::default()),
            Box::new(never_dead_to_oneself::NeverDeadToOneself),
            Box::new(bounded::Bounded),
            Box::new(convergence::Convergence),
            Box::new(folds::Folds),
            Box::new(one_majority::OneMajority),
            Box::new(quorum_returns::QuorumReturns),
            Box::new(complementary::Complementary),
            Box::new(no_false_partition::NoFalsePartition),
        ];
        Self { all, violations: Vec::new(), found: 0 }
    }
}

impl Invariants {
    pub(crate) fn seen(&mut self, at: Duration, seen: &Seen) {
        self.ask(at, |invariant| invariant.seen(seen));
    }

    pub(crate) fn done(&mut self, at: Duration, deed: Deed) {
        self.ask(at, |invariant| invariant.done(deed));
    }

    pub(crate) fn end(&mut self, at: Duration, end: &End) {
        self.ask(at, |invariant| invariant.end(end));
    }

    fn ask(&mut self, at: Duration, mut question: impl FnMut(&mut dyn Invariant) -> Result<(), String>) {
        for invariant in &mut self.all {
            if let Err(what) = question(invariant.as_mut()) {
                self.found += 1;
                if self.violations.len() < KEPT {
                    self.violations.push(Violation { at, invariant: invariant.name(), what });
                }
            }
        }
    }
}
