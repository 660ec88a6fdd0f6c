//! Workers that nothing is known of, among others that have answered.

use std::time::Duration;

use super::{
    super::{End, LoadBalancing},
    fleet::{Fleet, chooser},
};

/// Some workers whose answers take 10 ms, 20 ms and so on, and one that never had a call. All have been there for long.
fn with_a_newcomer(workers: u32) -> (Fleet, usize) {
    let fleet = Fleet::of(workers);
    for place in 1..workers as usize {
        fleet.ended(place, 10 * place as u64, End::Answered);
    }
    (fleet, 0)
}

/// One call after the other, each of which takes 10 ms; to whom they go.
fn one_by_one(fleet: &mut Fleet, calls: usize) -> Vec<usize> {
    let mut chooser = chooser(LoadBalancing::PeakEwma, 1);
    let mut picks = Vec::new();
    for _ in 0..calls {
        let chosen = fleet.pick(&mut chooser);
        fleet.now += Duration::from_millis(10);
        fleet.ended(chosen, 10, End::Answered);
        picks.push(chosen);
    }
    picks
}

#[test]
fn a_client_of_one_call_at_a_time_finds_out_how_a_newcomer_is() {
    for workers in 2..=9 {
        let (mut fleet, newcomer) = with_a_newcomer(workers);
        let picks = one_by_one(&mut fleet, 50);
        assert!(picks.contains(&newcomer), "{workers} workers: {picks:?}");
    }
}

#[test]
fn a_newcomer_gets_one_call_until_it_has_answered_and_is_then_expected_to_be_like_its_peers() {
    let (fleet, newcomer) = with_a_newcomer(4);
    let mut chooser = chooser(LoadBalancing::PeakEwma, 1);
    assert_eq!(fleet.pick(&mut chooser), newcomer);
    fleet.load(newcomer, 1);
    // On its way, and not even connected: nobody else follows it.
    assert!((0..50).all(|_| fleet.pick(&mut chooser) != newcomer));
    // The others are busy, with 50 ms and more to expect. It counts with the median of 10, 20 and 30 ms: 40 ms for a second
    // call, and 60 ms for a third.
    (1..4).for_each(|place| fleet.load(place, 4));
    assert_eq!(fleet.pick(&mut chooser), newcomer);
    fleet.load(newcomer, 1);
    assert_eq!(fleet.pick(&mut chooser), 1);
}
