//! How the calls are shared out.

use uuid::Uuid;

use super::{
    super::rendezvous,
    ALL, CALLS, assert_even,
    fleet::{Fleet, chooser},
};
use crate::membership::Generation;

#[test]
fn idle_workers_that_are_alike_get_even_shares() {
    let fleet = Fleet::of(7);
    for balancing in ALL {
        let (mut chooser, mut shares) = (chooser(balancing, 1), [0; 7]);
        for _ in 0..CALLS {
            shares[fleet.pick(&mut chooser)] += 1;
        }
        assert_even(&shares, balancing);
    }
}

#[test]
fn the_share_of_a_worker_that_refuses_falls_evenly_to_the_others() {
    let fleet = Fleet::of(4);
    for balancing in ALL {
        let (mut chooser, mut answered) = (chooser(balancing, 2), [0; 4]);
        for _ in 0..CALLS {
            let mut chosen = fleet.pick(&mut chooser);
            if chosen == 1 {
                chosen = [0, 2, 3][chooser.pick(&fleet.those(&[0, 2, 3]), None)];
            }
            answered[chosen] += 1;
        }
        assert_even(&[answered[0], answered[2], answered[3]], balancing);
    }
}

#[test]
fn a_request_id_points_to_one_worker_while_it_is_there() {
    let fleet = Fleet::of(5);
    let mut shares = [0; 5];
    for id in (0..CALLS).map(|number| Uuid::from_u128(u128::from(number) * 7 + 1)) {
        let chosen = rendezvous(id, &fleet.candidates());
        shares[chosen] += 1;
        let without_last = rendezvous(id, &fleet.those(&[0, 1, 2, 3]));
        assert!(chosen == 4 || chosen == without_last, "only the ids of the worker that left may move");
    }
    assert_even(&shares, "request ids");
}

#[test]
fn a_restarted_worker_is_another_worker_to_a_request_id() {
    let (before, mut after) = (Fleet::of(2), Fleet::of(2));
    after.workers[0].instance.generation = Generation(2);
    let moves = |id: &Uuid| rendezvous(*id, &before.candidates()) != rendezvous(*id, &after.candidates());
    let moved = (0..1_000).map(Uuid::from_u128).filter(moves);
    assert!((300..700).contains(&moved.count()), "about half of the ids must move");
}
