//! Shares by weight, evenly spread.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::{About, LoadBalancing},
    CALLS,
    fleet::{Fleet, chooser},
};

#[test]
fn each_worker_gets_the_share_of_its_weight() {
    let weights = [1, 2, 5, 8, 100];
    let (fleet, mut chooser) = (Fleet::weighing(&weights), chooser(LoadBalancing::Weighted, 1));
    let mut shares = [0_u32; 5];
    (0..CALLS).for_each(|_| shares[fleet.pick(&mut chooser)] += 1);
    for (weight, share) in weights.iter().zip(shares) {
        let promised = f64::from(CALLS * weight) / 116.0;
        assert!((f64::from(share) / promised - 1.0).abs() < 0.02, "weight {weight}: {share} of {promised}");
    }
}

#[test]
fn a_heavy_worker_does_not_get_its_calls_in_a_row() {
    let (fleet, mut chooser) = (Fleet::weighing(&[5, 1, 1]), chooser(LoadBalancing::Weighted, 2));
    let picks: Vec<_> = (0..700).map(|_| fleet.pick(&mut chooser)).collect();
    for (begin, window) in picks.windows(7).enumerate() {
        let heavy = window.iter().filter(|place| **place == 0).count();
        assert!((4..=6).contains(&heavy), "picks {begin} to {}: {window:?}", begin + 7);
    }
}

#[test]
fn a_weight_of_nothing_is_for_when_there_is_no_other() {
    let (fleet, mut chooser) = (Fleet::weighing(&[0, 3, 0]), chooser(LoadBalancing::Weighted, 3));
    assert!((0..100).all(|_| fleet.pick(&mut chooser) == 1));
    let mut shares = [0; 2];
    (0..100).for_each(|_| shares[chooser.pick(&fleet.those(&[0, 2]), None)] += 1);
    assert_eq!(shares, [50, 50]);
}

#[test]
fn the_weight_is_the_tag_or_else_the_capacity_or_else_one() {
    let tags = |weight: &str| [("weight".to_owned(), weight.to_owned())].into();
    let table = [
        (About::new(0, &[].into()), 1),
        (About::new(64, &[].into()), 64),
        (About::new(64, &tags("7")), 7),
        (About::new(64, &tags("0")), 0),
        (About::new(64, &tags("heavy")), 64),
    ];
    for (about, weight) in table {
        assert_eq!(about.weight, weight);
    }
}

#[test]
fn who_was_away_does_not_get_what_it_missed_all_at_once() {
    let (fleet, mut chooser) = (Fleet::weighing(&[1, 1, 1]), chooser(LoadBalancing::Weighted, 4));
    (0..30).for_each(|_| assert!(fleet.pick(&mut chooser) < 3));
    (0..3_000).for_each(|_| assert!(chooser.pick(&fleet.those(&[0, 1]), None) < 2));
    let mut shares = [0; 3];
    (0..30).for_each(|_| shares[fleet.pick(&mut chooser)] += 1);
    assert!(shares.iter().all(|share| (9..=11).contains(share)), "{shares:?}");
}

#[test]
fn clocks_of_workers_that_left_do_not_pile_up() {
    let mut fleet = Fleet::of(1_000);
    fleet.now += Duration::from_secs(1);
    let mut weighted = super::super::weighted::Weighted::default();
    let mut random = fastrand::Rng::with_seed(5);
    for place in 0..1_000 {
        let mut pick = super::super::Pick { key: None, random: &mut random };
        super::super::Strategy::pick(&mut weighted, &fleet.those(&[place]), &mut pick);
        assert!(weighted.clocks.len() <= 66);
    }
}

proptest! {
    #[test]
    fn after_any_number_of_calls_everybody_is_within_two_of_its_share(
        weights in prop::collection::vec(1_u32..20, 1..8),
        calls in 1_u32..400,
        seed in any::<u64>(),
    ) {
        let (fleet, mut chooser) = (Fleet::weighing(&weights), chooser(LoadBalancing::Weighted, seed));
        let mut shares = vec![0_u32; weights.len()];
        (0..calls).for_each(|_| shares[fleet.pick(&mut chooser)] += 1);
        let total: u32 = weights.iter().sum();
        for (weight, share) in weights.iter().zip(&shares) {
            let due = f64::from(calls) * f64::from(*weight) / f64::from(total);
            prop_assert!((f64::from(*share) - due).abs() < 2.0 + weights.len() as f64 / 2.0, "{:?}: {} of {}", shares, share, due);
        }
    }
}
