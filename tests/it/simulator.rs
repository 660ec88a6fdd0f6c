//! Claims about the simulator of membership: it repeats itself, its faults happen, and it finds what is wrong.

use std::time::Instant;

use rpcnet_tests::sim::{
    Action, Change, Core, Failure, Kind, NAMES, Outcome, Rpcnet, Seat, Version, Wish, run,
};

fn story<C: Core>(scenario: &str, nodes: usize, seed: u64) -> Outcome {
    run::<C>(&Wish { scenario: scenario.into(), nodes: Some(nodes), seed, loss: None, story: false }).unwrap()
}

#[test]
fn two_runs_of_a_seed_have_the_same_trace() {
    for scenario in ["chaos", "crash", "half-split"] {
        let (first, second) = (story::<Rpcnet>(scenario, 7, 3), story::<Rpcnet>(scenario, 7, 3));
        assert_eq!(first.trace, second.trace, "{scenario}");
        assert_eq!((first.counts, first.csv), (second.counts, second.csv), "{scenario}");
        assert_ne!(
            first.trace,
            story::<Rpcnet>(scenario, 7, 4).trace,
            "{scenario}: another seed, another story"
        );
    }
}

/// The long ones are for release builds.
#[test]
fn every_scenario_holds_what_must_always_hold() {
    let long = ["quiet", "loss5-24h", "loss10", "loss25", "slow-members", "starved-members"];
    for (scenario, _) in NAMES.iter().filter(|(name, _)| !long.contains(name)) {
        let outcome = story::<Rpcnet>(scenario, 4, 1);
        assert_eq!(outcome.violations, [], "{scenario}");
        assert!(outcome.counts.events > 100, "{scenario}: {:?}", outcome.counts);
    }
}

#[test]
fn the_faults_of_chaos_happen() {
    let all: Vec<_> = (0..6).map(|seed| story::<Rpcnet>("chaos", 5, seed)).collect();
    assert!(all.iter().all(|outcome| outcome.violations.is_empty()), "{:?}", all[0].violations);
    let faults = [
        ("lost", all.iter().map(|outcome| outcome.counts.datagrams_lost).sum::<u64>()),
        ("doubled", all.iter().map(|outcome| outcome.counts.datagrams_doubled).sum()),
        ("delayed", all.iter().map(|outcome| outcome.counts.datagrams_delayed).sum()),
        ("streams", all.iter().map(|outcome| outcome.counts.streams_failed).sum()),
        ("crashes", all.iter().map(|outcome| outcome.counts.crashes).sum()),
        ("exits", all.iter().map(|outcome| outcome.counts.exits).sum()),
        ("restarts", all.iter().map(|outcome| outcome.counts.restarts).sum()),
        ("leaves", all.iter().map(|outcome| outcome.counts.leaves).sum()),
        ("stalls", all.iter().map(|outcome| outcome.counts.stalls).sum()),
        ("cuts", all.iter().map(|outcome| outcome.counts.cuts).sum()),
    ];
    for (fault, times) in faults {
        assert!(times >= 3, "{fault} happened {times} times");
    }
}

#[test]
fn a_crash_is_found_by_all_and_its_summary_says_when() {
    let outcome = story::<Rpcnet>("crash", 10, 7);
    let [_, _, all] = outcome.known;
    assert!(all.is_some_and(|took| took.as_secs() < 7), "{all:?}");
    let summary = outcome.summary();
    assert!(summary.starts_with("summary: scenario=crash nodes=10 seed=7 first_suspect_ms=2"), "{summary}");
    assert!(summary.contains(" false_failed=0 ") && summary.contains(" trace="), "{summary}");
}

/// Two of twenty took 18 s: they held themselves to be ill, looked past eight of the eighteen, and then waited as if all
/// of those could still confirm what they said.
#[test]
fn a_side_of_a_tenth_sees_the_others_failed_as_soon_as_they_see_it() {
    let outcome = story::<Rpcnet>("minority-split", 20, 1);
    let [_, most, _] = outcome.known;
    assert!(most.is_some_and(|took| took.as_millis() < 7_000), "{most:?}");
    assert_eq!((outcome.false_failed, outcome.violations), (0, vec![]));
}

#[test]
fn a_scenario_that_is_not_there_is_refused() {
    let wish = Wish { scenario: "weather".into(), nodes: Some(5), seed: 1, loss: None, story: false };
    assert!(run::<Rpcnet>(&wish).is_err());
}

/// A node of RpcNet with a bug, by its number.
struct Planted<const BUG: u8> {
    inner: Rpcnet,
    node: u32,
    again: Option<Action>,
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
            ACCUSES if (self.node, change.node) == (1, 2) => return Change { kind: Kind::Failed, ..change },
            _ => {}
        }
        change
    }
}

impl<const BUG: u8> Core for Planted<BUG> {
    const NAME: &'static str = "planted";
    const DATAGRAM_OVERHEAD: usize = Rpcnet::DATAGRAM_OVERHEAD;
    const DATAGRAM_MAX: usize = Rpcnet::DATAGRAM_MAX;
    const HELD_TO_INVARIANTS: bool = true;

    fn settings(nodes: usize) -> String {
        Rpcnet::settings(nodes)
    }
    fn new(seat: &Seat) -> Self {
        Self { inner: Rpcnet::new(seat), node: seat.node, again: None }
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
        match self.inner.poll()? {
            Action::Changed(change) if self.node != change.node => Some(Action::Changed(self.spoil(change))),
            other => Some(other),
        }
    }
    fn next_timeout(&self) -> Option<Instant> {
        self.inner.next_timeout()
    }
    fn version(&self) -> Version {
        self.inner.version()
    }
    fn sees(&self, node: u32) -> bool {
        self.inner.sees(node)
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
