//! Keys and their workers.

use proptest::prelude::*;

use super::{
    super::{End, LoadBalancing, key_of},
    CALLS, assert_even,
    fleet::{Fleet, chooser},
};
use crate::membership::Generation;

fn keys() -> impl Iterator<Item = u64> {
    (0..CALLS).map(|number| key_of(format!("user-{number}").as_bytes()))
}

#[test]
fn a_key_stays_with_its_worker_and_keys_are_shared_evenly() {
    let fleet = Fleet::of(5);
    let (mut one, mut another) =
        (chooser(LoadBalancing::Consistent, 1), chooser(LoadBalancing::Consistent, 2));
    let mut shares = [0; 5];
    for key in keys() {
        let chosen = one.pick(&fleet.candidates(), Some(key));
        assert_eq!(another.pick(&fleet.candidates(), Some(key)), chosen, "every client agrees");
        shares[chosen] += 1;
    }
    assert_even(&shares, "keys");
}

#[test]
fn a_worker_that_leaves_moves_only_its_own_keys_and_one_that_restarts_moves_none() {
    let (before, mut after) = (Fleet::of(5), Fleet::of(5));
    after.workers[2].instance.generation = Generation(2);
    let mut chooser = chooser(LoadBalancing::Consistent, 3);
    for key in keys() {
        let chosen = chooser.pick(&before.candidates(), Some(key));
        assert_eq!(chooser.pick(&after.candidates(), Some(key)), chosen);
        let without = [0, 1, 2, 4][chooser.pick(&before.those(&[0, 1, 2, 4]), Some(key))];
        assert!(chosen == 3 || chosen == without);
    }
}

#[test]
fn a_popular_key_does_not_drown_its_worker() {
    let (fleet, mut chooser) = (Fleet::of(8), chooser(LoadBalancing::Consistent, 4));
    let mut picks = Vec::new();
    for _ in 0..800 {
        let chosen = chooser.pick(&fleet.candidates(), Some(7));
        fleet.load(chosen, 1);
        picks.push(chosen);
    }
    let busy: Vec<_> = fleet.workers.iter().map(|worker| worker.gauge.in_flight()).collect();
    assert_eq!(busy.iter().max(), Some(&125), "1.25 × 800 / 8: {busy:?}");
    let first = busy[picks[0]];
    assert_eq!(first, 125, "its own worker is used as far as may be");
}

#[test]
fn a_worker_that_fails_loses_its_keys_until_that_is_forgotten() {
    let (mut fleet, mut chooser) = (Fleet::of(4), chooser(LoadBalancing::Consistent, 6));
    let owner = chooser.pick(&fleet.candidates(), Some(9));
    (0..3).for_each(|_| fleet.ended(owner, 1, End::Failed { hint: None }));
    assert_ne!(chooser.pick(&fleet.candidates(), Some(9)), owner);
    fleet.now += std::time::Duration::from_secs(20);
    assert_eq!(chooser.pick(&fleet.candidates(), Some(9)), owner);
}

#[test]
fn a_new_worker_takes_over_its_keys_one_by_one_and_none_of_them_wavers() {
    let mut fleet = Fleet::of(4);
    fleet.add(fleet.now, &[]);
    let mut chooser = chooser(LoadBalancing::Consistent, 5);
    let mut owners: Vec<_> = keys().take(2_000).map(|key| (key, None)).collect();
    let mut moved = Vec::new();
    for _ in 0..=20 {
        for (key, owner) in &mut owners {
            let chosen = chooser.pick(&fleet.candidates(), Some(*key));
            assert!(
                owner.is_none_or(|owner| owner == chosen || chosen == 4),
                "a key moved, and not to the new one"
            );
            *owner = Some(chosen);
        }
        moved.push(owners.iter().filter(|(_, owner)| *owner == Some(4)).count());
        fleet.now += std::time::Duration::from_millis(500);
    }
    assert!(moved.is_sorted(), "{moved:?}");
    assert!((20..80).contains(&moved[0]) && (340..460).contains(&moved[20]), "{moved:?}");
}

proptest! {
    #[test]
    fn nobody_gets_a_call_above_the_bound(loads in prop::collection::vec(0_u32..30, 1..12), key in any::<u64>()) {
        let fleet = Fleet::of(loads.len() as u32);
        loads.iter().enumerate().for_each(|(place, calls)| fleet.load(place, *calls));
        let chosen = chooser(LoadBalancing::Consistent, 1).pick(&fleet.candidates(), Some(key));
        let total = loads.iter().sum::<u32>() + 1;
        let bound = (1.25 * f64::from(total) / loads.len() as f64).ceil();
        prop_assert!(f64::from(loads[chosen] + 1) <= bound, "{:?} and {}", loads, chosen);
    }
}
