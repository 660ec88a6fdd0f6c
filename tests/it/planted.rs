//! The simulator finds what is wrong: nodes with a bug, and the invariant that tells.

use std::collections::BTreeSet;
use std::time::Instant;

use rpcnet_cluster::membership::RecordPool;
use rpcnet_tests::sim::{Action, Change, Core, Failure, Kind, Rpcnet, Seat, Version};

use super::simulator::story;

/// A node of RpcNet with a bug, by its number.
struct Planted<const BUG: u8> {
    inner: Rpcnet,
    node: u32,
    again: Option<Action>,
    /// What it has held to be failed, and as which process.
    failed: Vec<Change>,
    /// Whom it takes no notice of any more.
    stuck: BTreeSet<u32>,
}

/// It tells its user of each failure twice.
const TELLS_TWICE: u8 = 0;
/// It takes a failed node back as what it was.
const REVIVES: u8 = 1;
/// It believes in an incarnation that nobody has spoken of.
const INVENTS: u8 = 2;
/// Node 1 holds node 2 to be failed from the beginning.
const ACCUSES: u8 = 3;
/// Node 1 takes no notice of anything that is said by datagram or stream.
const IGNORES: u8 = 4;
/// A comparison of views by stream brings back who had failed (memberlist, issue 312).
const PULLS_BACK: u8 = 5;
/// It answers an accusation in the accused's name, with the next incarnation (rpcnet 0.1.0).
const ANSWERS_FOR_OTHERS: u8 = 6;
/// Who once failed stays dead to it, whatever process comes after (memberlist, issue 311).
const NEVER_FORGIVES: u8 = 7;

impl<const BUG: u8> Planted<BUG> {
    fn spoil(&mut self, change: Change) -> Change {
        let failed = change.kind == Kind::Failed;
        match BUG {
            TELLS_TWICE if failed => self.again = Some(Action::Changed(change)),
            REVIVES if failed => self.again = Some(Action::Changed(Change { kind: Kind::Joined, ..change })),
            INVENTS if change.kind == Kind::Joined => {
                let incarnation = change.version.incarnation + 1;
                return Change { version: Version { incarnation, ..change.version }, ..change };
            }
            PULLS_BACK if failed => self.failed.push(change),
            NEVER_FORGIVES if failed => {
                self.stuck.insert(change.node);
            }
            ANSWERS_FOR_OTHERS if change.kind == Kind::Suspected => {
                let incarnation = change.version.incarnation + 1;
                let version = Version { incarnation, ..change.version };
                self.again = Some(Action::Changed(Change { kind: Kind::Recovered, version, ..change }));
            }
            ACCUSES if (self.node, change.node) == (1, 2) => return Change { kind: Kind::Failed, ..change },
            _ => {}
        }
        change
    }
}

impl<const BUG: u8> Core for Planted<BUG> {
    type Shared = RecordPool;

    const NAME: &'static str = "planted";
    const DATAGRAM_OVERHEAD: usize = Rpcnet::DATAGRAM_OVERHEAD;
    const DATAGRAM_MAX: usize = Rpcnet::DATAGRAM_MAX;
    const HELD_TO_INVARIANTS: bool = true;

    fn settings(nodes: usize) -> String {
        Rpcnet::settings(nodes)
    }
    fn new(seat: &Seat, pool: &RecordPool) -> Self {
        Self {
            inner: Rpcnet::new(seat, pool),
            node: seat.node,
            again: None,
            failed: Vec::new(),
            stuck: BTreeSet::new(),
        }
    }
    fn join(&mut self, now: Instant, seeds: &[u32]) {
        self.inner.join(now, seeds);
    }
    fn datagram(&mut self, now: Instant, from: u32, bytes: &[u8]) -> bool {
        (BUG == IGNORES && self.node == 1) || self.inner.datagram(now, from, bytes)
    }
    fn request(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>> {
        if BUG == IGNORES && self.node == 1 { None } else { self.inner.request(now, bytes) }
    }
    fn reply(&mut self, now: Instant, id: u64, result: Result<Vec<u8>, Failure>) {
        let ignored = BUG == IGNORES && self.node == 1;
        if let Some(failed) = self.failed.pop() {
            self.again = Some(Action::Changed(Change { kind: Kind::Recovered, ..failed }));
        }
        self.inner.reply(now, id, if ignored { Err(Failure::TimedOut) } else { result });
    }
    fn timeout(&mut self, now: Instant) {
        self.inner.timeout(now);
    }
    fn leave(&mut self, now: Instant) {
        self.inner.leave(now);
    }
    fn poll(&mut self) -> Option<Action> {
        // What was added is not spoilt again, or it would never end.
        if let Some(added) = self.again.take() {
            return Some(added);
        }
        loop {
            match self.inner.poll()? {
                Action::Changed(change) if self.stuck.contains(&change.node) => {}
                Action::Changed(change) if self.node != change.node => {
                    return Some(Action::Changed(self.spoil(change)));
                }
                other => return Some(other),
            }
        }
    }
    fn next_timeout(&self) -> Option<Instant> {
        self.inner.next_timeout()
    }
    fn version(&self) -> Version {
        self.inner.version()
    }
    fn sees(&self, node: u32) -> bool {
        self.inner.sees(node) && !self.stuck.contains(&node)
    }
}

fn found<const BUG: u8>(scenario: &str) -> Vec<&'static str> {
    story::<Planted<BUG>>(scenario, 5, 1).violations.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn a_planted_bug_is_found_by_its_invariant() {
    assert!(found::<INVENTS>("bootstrap").contains(&"only its owner raises an incarnation"));
    assert!(found::<ACCUSES>("bootstrap").contains(&"no false failure without a fault"));
    assert!(found::<IGNORES>("steady").contains(&"in calm every view becomes whole"));
    assert!(found::<TELLS_TWICE>("crash").contains(&"each failure is told once"));
    assert!(found::<REVIVES>("crash").contains(&"nobody returns on old evidence"));
    assert!(found::<REVIVES>("crash").contains(&"the events fold to the view"));
}

/// The first seed of chaos in which this invariant tells of the bug.
fn found_in_chaos<const BUG: u8>(invariant: &str) -> Option<u64> {
    let tells = |seed: &u64| {
        let outcome = story::<Planted<BUG>>("chaos", 5, *seed);
        outcome.violations.iter().any(|violation| violation.invariant == invariant)
    };
    (0..5).find(tells)
}

/// Those seeds hold without the bugs: `the_faults_of_chaos_happen`.
#[test]
fn chaos_finds_three_bugs_that_others_had_within_five_seeds() {
    let found = [
        found_in_chaos::<PULLS_BACK>("nobody returns on old evidence"),
        found_in_chaos::<ANSWERS_FOR_OTHERS>("only its owner raises an incarnation"),
        found_in_chaos::<NEVER_FORGIVES>("in calm every view becomes whole"),
    ];
    println!("found by the seeds {found:?}");
    assert!(found.iter().all(Option::is_some), "{found:?}");
}
