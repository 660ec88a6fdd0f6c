//! What is measured in a run: times of detection, false alarms, bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::bits::Bits;
use super::core::Kind;
use super::invariants::{Excuse, Seen};

/// The measurements of one run.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    expects: Vec<Expect>,
    /// Pairs of observer and subject that have been counted.
    counted: BTreeSet<(u32, u32)>,
    pub(crate) expected: u64,
    /// How long each observer took to hold each subject to be failed.
    pub(crate) samples: Vec<Duration>,
    pub(crate) first_suspect: Option<Duration>,
    pub(crate) first_failed: Option<Duration>,
    /// Healthy nodes failed, in the views of healthy ones.
    pub(crate) false_failed: u64,
    /// Healthy nodes failed in the views of faulty ones.
    pub(crate) false_by_faulty: u64,
    /// Healthy nodes suspected, in the views of healthy ones.
    pub(crate) accused: u64,
    pub(crate) suspected: u64,
    pub(crate) failed: u64,
    /// Nodes that others heard to be unwell, and which of them had no fault.
    pub(crate) degraded: BTreeSet<u32>,
    pub(crate) degraded_well: BTreeSet<u32>,
    window: Option<(Duration, u64)>,
    /// Bytes a second and node in the window that the scenario names.
    pub(crate) steady: Option<f64>,
    /// What was waited for, and how long it took; `None` when it did not come in time.
    pub(crate) milestones: Vec<(&'static str, Option<Duration>)>,
}

/// These observers have to find out about these subjects.
#[derive(Debug)]
struct Expect {
    observers: Bits,
    subjects: Bits,
    since: Duration,
}

impl Measures {
    pub(crate) fn expect(&mut self, now: Duration, nodes: usize, observers: &[u32], subjects: &[u32]) {
        let set = |list: &[u32]| {
            let mut set = Bits::for_nodes(nodes);
            list.iter().for_each(|&node| {
                set.insert(node);
            });
            set
        };
        self.expected += (observers.len() * subjects.len()) as u64;
        self.expects.push(Expect { observers: set(observers), subjects: set(subjects), since: now });
    }

    pub(crate) fn note(&mut self, now: Duration, seen: &Seen) {
        if seen.change.degraded && seen.observer != seen.change.node {
            self.degraded.insert(seen.change.node);
            if seen.excuse.is_none() {
                self.degraded_well.insert(seen.change.node);
            }
        }
        match seen.change.kind {
            Kind::Suspected => {
                self.suspected += 1;
                self.accused += u64::from(seen.lives && seen.excuse.is_none());
                if let Some(took) = self.expected(now, seen) {
                    self.first_suspect.get_or_insert(took);
                }
            }
            Kind::Failed => self.note_failed(now, seen),
            _ => {}
        }
    }

    fn note_failed(&mut self, now: Duration, seen: &Seen) {
        self.failed += 1;
        if let Some(took) = self.expected(now, seen) {
            self.first_failed.get_or_insert(took);
            if self.counted.insert((seen.observer, seen.change.node)) {
                self.samples.push(took);
            }
        } else if seen.lives {
            self.false_failed += u64::from(seen.excuse.is_none());
            self.false_by_faulty += u64::from(seen.excuse == Some(Excuse::Observer));
        }
    }

    fn expected(&self, now: Duration, seen: &Seen) -> Option<Duration> {
        let fits = |expect: &&Expect| {
            expect.observers.contains(seen.observer) && expect.subjects.contains(seen.change.node)
        };
        self.expects.iter().find(fits).map(|expect| now - expect.since)
    }

    /// Everybody knows who has to.
    pub(crate) fn all_known(&self) -> bool {
        self.samples.len() as u64 >= self.expected
    }

    /// When so large a share of all expected pairs had found out; `None` if they have not.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let mut samples = self.samples.clone();
        samples.sort_unstable();
        let wanted = (self.expected as f64 * share).ceil() as usize;
        samples.get(wanted.max(1) - 1).copied()
    }

    pub(crate) fn open_window(&mut self, now: Duration, sent: u64) {
        self.window = Some((now, sent));
    }

    pub(crate) fn close_window(&mut self, now: Duration, sent: u64, nodes: usize) {
        if let Some((since, before)) = self.window.take() {
            let seconds = (now - since).as_secs_f64().max(0.001);
            self.steady = Some((sent - before) as f64 / seconds / nodes.max(1) as f64);
        }
    }
}
