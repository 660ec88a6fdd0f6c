//! Own zone first, new workers slowly, and strategies of one's own.

use std::time::Duration;

use super::{
    super::{Balancer, Candidate, Chooser, End, LoadBalancing, Pick, Place, Strategy},
    ALL, CALLS, assert_even,
    fleet::{Fleet, chooser},
};

/// A fleet of which these workers are in the own zone.
fn near(count: u32, zones: usize, near: &[usize]) -> Fleet {
    let mut fleet = Fleet::of(count);
    near.iter().for_each(|place| fleet.workers[*place].about.place = Place::Near { zones });
    fleet
}

/// Who of the fleet gets calls.
fn served(fleet: &Fleet, balancing: LoadBalancing) -> Vec<usize> {
    let mut chooser = chooser(balancing, 1);
    let mut places: Vec<_> = (0..200).map(|_| chooser.pick(&fleet.candidates(), None)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn calls_stay_in_their_zone_while_it_has_room() {
    let fleet = near(6, 2, &[1, 4]);
    for balancing in ALL {
        assert_eq!(served(&fleet, balancing), [1, 4], "{balancing:?}");
    }
}

#[test]
fn a_worker_that_is_full_or_fails_has_no_room_and_a_zone_without_room_is_left() {
    let mut fleet = near(4, 2, &[1, 2]);
    fleet.workers[1].about.capacity = 10;
    fleet.load(1, 8);
    assert_eq!(served(&fleet, LoadBalancing::RoundRobin), [2]);
    fleet.ended(2, 1, End::Failed { hint: None });
    assert_eq!(served(&fleet, LoadBalancing::RoundRobin), [0, 1, 2, 3]);
    fleet.now += Duration::from_secs(6);
    assert_eq!(served(&fleet, LoadBalancing::RoundRobin), [2], "the failure is forgotten");
}

#[test]
fn a_zone_with_less_than_half_of_the_usual_number_of_workers_is_left() {
    for (count, zones, stays) in [(4, 2, true), (5, 2, false), (6, 3, true), (7, 3, false)] {
        let served = served(&near(count, zones, &[0]), LoadBalancing::RoundRobin);
        assert_eq!(served == [0], stays, "one of {count} in {zones} zones");
    }
}

#[test]
fn a_new_worker_gets_a_tenth_of_its_share_and_all_of_it_after_ten_seconds() {
    for balancing in ALL {
        let mut fleet = Fleet::of(3);
        fleet.add(fleet.now, &[]);
        let shares = [0_u64, 5, 10].map(|age| {
            fleet.now = fleet.start + Duration::from_secs(age);
            let (mut chooser, mut calls) = (chooser(balancing, age), 0);
            (0..20_000).for_each(|_| calls += u32::from(fleet.pick(&mut chooser) == 3));
            f64::from(calls) / 20_000.0 * 4.0
        });
        // By lot it gets a tenth of what it will get, by turns a tenth of what each of the others gets, which is more.
        for (share, promised) in shares.iter().zip([0.08..0.15, 0.48..0.65, 0.98..1.02]) {
            assert!(promised.contains(share), "{balancing:?}: {shares:?}");
        }
    }
}

#[test]
fn where_all_are_new_or_nobody_else_is_there_nobody_is_spared() {
    let mut fleet = Fleet::of(0);
    (0..4).for_each(|_| fleet.add(fleet.now, &[]));
    let (mut chooser, mut shares) = (chooser(LoadBalancing::Random, 1), [0; 4]);
    (0..CALLS).for_each(|_| shares[fleet.pick(&mut chooser)] += 1);
    assert_even(&shares, "all are new");
}

/// Always the same place.
#[derive(Debug)]
struct Always(usize);

impl Strategy for Always {
    fn pick(&mut self, _: &[Candidate<'_>], _: &mut Pick<'_>) -> usize {
        self.0
    }
}

#[test]
fn a_strategy_of_ones_own_may_say_any_place() {
    for (said, chosen) in [(0, 0), (2, 2), (3, 0), (usize::MAX, usize::MAX % 3)] {
        let balancer = Balancer::custom(move || Always(said));
        let mut chooser = Chooser::new(&balancer, fastrand::Rng::with_seed(1));
        assert_eq!(Fleet::of(3).pick(&mut chooser), chosen);
    }
}

#[test]
fn a_strategy_sees_what_its_candidates_say_and_do() {
    let mut fleet = Fleet::of(0);
    fleet.add(fleet.now, &[("zone", "eu-1"), ("weight", "7")]);
    fleet.load(0, 2);
    fleet.ended(0, 30, End::Answered);
    let candidate = fleet.candidate(0);
    assert_eq!((candidate.weight(), candidate.capacity(), candidate.in_flight()), (7, 0, 2));
    assert_eq!((candidate.latency(), candidate.failing()), (Some(Duration::from_millis(30)), 0));
    assert_eq!(candidate.tags()["zone"], "eu-1");
}
