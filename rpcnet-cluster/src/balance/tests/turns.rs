//! Round robin, random, least connections: what they promise of each single choice.

use proptest::prelude::*;

use super::{
    super::{End, LoadBalancing},
    ALL, CALLS, assert_even,
    fleet::{Fleet, chooser},
};

#[test]
fn round_robin_goes_by_worker_and_not_by_place_in_the_list() {
    let (fleet, mut chooser) = (Fleet::of(4), chooser(LoadBalancing::RoundRobin, 3));
    let mut pick = |places: &[usize]| places[chooser.pick(&fleet.those(places), None)];
    let all = [0, 1, 2, 3];
    assert_eq!([pick(&all[..1]), pick(&all)], [0, 1]);
    assert_eq!([pick(&[0, 1, 3]), pick(&all), pick(&all)], [3, 0, 1]);
    assert_eq!([pick(&all[..2]), pick(&all[3..]), pick(&all)], [0, 3, 0]);
}

#[test]
fn least_connections_fills_the_valleys() {
    let (fleet, mut chooser) = (Fleet::of(4), chooser(LoadBalancing::LeastConnections, 4));
    fleet.load(1, 3);
    fleet.load(3, 1);
    let mut order = Vec::new();
    for _ in 0..8 {
        let chosen = fleet.pick(&mut chooser);
        fleet.load(chosen, 1);
        order.push(chosen);
    }
    order.sort_unstable();
    assert_eq!(order, [0, 0, 0, 2, 2, 2, 3, 3], "up to three everywhere");
}

#[test]
fn to_least_connections_a_failure_is_a_call_in_flight_and_not_for_ever() {
    let (mut fleet, mut chooser) = (Fleet::of(2), chooser(LoadBalancing::LeastConnections, 4));
    fleet.ended(0, 0, End::Failed { hint: None });
    fleet.ended(0, 0, End::Failed { hint: None });
    fleet.load(1, 1);
    assert_eq!([(); 3].map(|()| fleet.pick(&mut chooser)), [1, 1, 1]);
    fleet.load(1, 1);
    let mut both = [(); 2].map(|()| fleet.pick(&mut chooser));
    both.sort_unstable();
    assert_eq!(both, [0, 1], "two failures and two calls are equal");
    fleet.now += std::time::Duration::from_secs(6);
    assert_eq!([(); 3].map(|()| fleet.pick(&mut chooser)), [0, 0, 0]);
}

#[test]
fn clients_that_begin_together_do_not_all_begin_with_the_same_worker() {
    let fleet = Fleet::of(5);
    for balancing in ALL {
        let mut shares = [0; 5];
        for seed in 0..CALLS {
            shares[fleet.pick(&mut chooser(balancing, seed.into()))] += 1;
        }
        assert_even(&shares, balancing);
    }
}

proptest! {
    #[test]
    fn a_choice_is_a_candidate_and_the_same_from_the_same_seed(
        loads in prop::collection::vec((0_u32..5, 0_u64..3, 0_u32..4), 1..9),
        key in any::<Option<u64>>(),
        seed in any::<u64>(),
        rounds in 1_usize..20,
    ) {
        let mut fleet = Fleet::of(loads.len() as u32);
        for (place, (calls, failures, weight)) in loads.iter().enumerate() {
            fleet.load(place, *calls);
            (0..*failures).for_each(|failure| fleet.ended(place, failure, End::Failed { hint: None }));
            fleet.workers[place].about.weight = *weight;
        }
        for balancing in ALL {
            let run = || {
                let mut chooser = chooser(balancing, seed);
                (0..rounds).map(|_| chooser.pick(&fleet.candidates(), key)).collect::<Vec<_>>()
            };
            prop_assert!(run().iter().all(|chosen| *chosen < loads.len()));
            prop_assert_eq!(run(), run());
        }
    }
}
