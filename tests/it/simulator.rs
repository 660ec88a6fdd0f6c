//! Claims about the simulator of membership: it repeats itself, and its faults happen.

use rpcnet_tests::sim::{Core, NAMES, Outcome, Rpcnet, Wish, run};

pub(crate) fn story<C: Core>(scenario: &str, nodes: usize, seed: u64) -> Outcome {
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

/// It passes every test between its turns, and is a member all the time; the others are to send their calls elsewhere.
#[test]
fn a_node_that_is_slow_by_turns_is_degraded_and_failed_in_no_view() {
    for (nodes, seed) in [(3, 1), (5, 2), (12, 3)] {
        let outcome = story::<Rpcnet>("slow-by-turns", nodes, seed);
        assert_eq!((outcome.degraded, outcome.failed_views), ((1, 0), 0), "{nodes} nodes");
        assert_eq!(outcome.violations, []);
    }
}

#[test]
fn a_scenario_that_is_not_there_is_refused() {
    let wish = Wish { scenario: "weather".into(), nodes: Some(5), seed: 1, loss: None, story: false };
    assert!(run::<Rpcnet>(&wish).is_err());
}
