//! Claims about the strategies: who is picked, and how often.

use proptest::prelude::*;
use uuid::Uuid;

use super::{Candidate, LoadBalancing, rendezvous};
use crate::{
    membership::{Generation, NodeId},
    registry::Instance,
};

const CALLS: u32 = 100_000;
const ALL: [LoadBalancing; 3] =
    [LoadBalancing::RoundRobin, LoadBalancing::Random, LoadBalancing::LeastConnections];

fn instance(number: u128) -> Instance {
    Instance { id: NodeId::new(Uuid::from_u128(number)), generation: Generation(1) }
}

fn idle(workers: u128) -> Vec<Candidate> {
    (0..workers).map(|number| Candidate { instance: instance(number), in_flight: 0 }).collect()
}

fn assert_even(shares: &[u32], of: u32) {
    let fair = f64::from(of) / shares.len() as f64;
    let off = shares.iter().map(|share| (f64::from(*share) - fair).abs() / fair).fold(0.0, f64::max);
    assert!(off <= 0.02, "shares {shares:?} are {:.1} % off {fair}", off * 100.0);
}

#[test]
fn alike_workers_get_even_shares() {
    for balancing in ALL {
        let (mut strategy, mut random) = (balancing.strategy(), fastrand::Rng::with_seed(1));
        let (workers, mut shares) = (idle(7), [0; 7]);
        for _ in 0..CALLS {
            shares[strategy.pick(&workers, &mut random)] += 1;
        }
        assert_even(&shares, CALLS);
    }
}

#[test]
fn the_share_of_a_worker_that_refuses_falls_evenly_to_the_others() {
    for balancing in ALL {
        let (mut strategy, mut random) = (balancing.strategy(), fastrand::Rng::with_seed(2));
        let (all, mut answered) = (idle(4), [0; 4]);
        let others: Vec<_> =
            all.iter().copied().filter(|worker| worker.instance != all[1].instance).collect();
        for _ in 0..CALLS {
            let mut chosen = strategy.pick(&all, &mut random);
            if chosen == 1 {
                let again = strategy.pick(&others, &mut random);
                chosen = if again == 0 { 0 } else { again + 1 };
            }
            answered[chosen] += 1;
        }
        assert_even(&[answered[0], answered[2], answered[3]], CALLS);
    }
}

#[test]
fn round_robin_goes_by_worker_and_not_by_place_in_the_list() {
    let (mut strategy, mut random) = (LoadBalancing::RoundRobin.strategy(), fastrand::Rng::with_seed(3));
    let all = idle(4);
    let mut pick = |candidates: &[Candidate]| {
        let chosen = strategy.pick(candidates, &mut random);
        candidates[chosen].instance.id.as_uuid().as_u128()
    };
    assert_eq!([pick(&all[..1]), pick(&all)], [0, 1]);
    let without_two: Vec<_> = [0, 1, 3].map(|index: usize| all[index]).into();
    assert_eq!([pick(&without_two), pick(&all), pick(&all)], [3, 0, 1]);
    assert_eq!([pick(&all[..2]), pick(&all[3..]), pick(&all)], [0, 3, 0]);
}

#[test]
fn least_connections_fills_the_valleys() {
    let (mut strategy, mut random) =
        (LoadBalancing::LeastConnections.strategy(), fastrand::Rng::with_seed(4));
    let mut workers = idle(4);
    workers[1].in_flight = 3;
    workers[3].in_flight = 1;
    let mut order = Vec::new();
    for _ in 0..8 {
        let chosen = strategy.pick(&workers, &mut random);
        workers[chosen].in_flight += 1;
        order.push(chosen);
    }
    order.sort_unstable();
    assert_eq!(order, [0, 0, 0, 2, 2, 2, 3, 3], "up to three everywhere");
}

#[test]
fn clients_that_begin_together_do_not_all_begin_with_the_same_worker() {
    let (workers, mut random) = (idle(5), fastrand::Rng::with_seed(6));
    for balancing in ALL {
        let mut shares = [0; 5];
        for _ in 0..CALLS {
            shares[balancing.strategy().pick(&workers, &mut random)] += 1;
        }
        assert_even(&shares, CALLS);
    }
}

#[test]
fn a_slow_worker_gets_its_share_of_time_and_not_of_calls() {
    // Ten calls at any time; a worker answers one in four steps, the slow one in forty.
    let (mut strategy, mut random) =
        (LoadBalancing::LeastConnections.strategy(), fastrand::Rng::with_seed(5));
    let (mut workers, mut shares) = (idle(4), [0_u32; 4]);
    let mut ends: std::collections::BTreeMap<(u32, u32), usize> =
        (0..10).map(|n| ((n, n), n as usize % 4)).collect();
    workers.iter_mut().enumerate().for_each(|(n, worker)| worker.in_flight = [3, 3, 2, 2][n]);
    for call in 10..CALLS {
        let ((now, _), done) = ends.pop_first().expect("ten calls are in flight");
        workers[done].in_flight -= 1;
        let chosen = strategy.pick(&workers, &mut random);
        workers[chosen].in_flight += 1;
        shares[chosen] += 1;
        ends.insert((now + if chosen == 0 { 40 } else { 4 }, call), chosen);
    }
    let slow = f64::from(shares[0]) / f64::from(CALLS);
    assert!(slow < 0.05, "the slow worker got {:.1} % of the calls", slow * 100.0);
}

#[test]
fn a_request_id_points_to_one_worker_while_it_is_there() {
    let all = idle(5);
    let mut shares = [0; 5];
    for id in (0..CALLS).map(|number| Uuid::from_u128(u128::from(number) * 7 + 1)) {
        let chosen = rendezvous(id, &all);
        shares[chosen] += 1;
        let without_last = rendezvous(id, &all[..4]);
        assert!(chosen == 4 || chosen == without_last, "only the ids of the worker that left may move");
    }
    assert_even(&shares, CALLS);
}

#[test]
fn a_restarted_worker_is_another_worker_to_a_request_id() {
    let before = idle(2);
    let mut after = before.clone();
    after[0].instance.generation = Generation(2);
    let moved =
        (0..1_000).map(Uuid::from_u128).filter(|id| rendezvous(*id, &before) != rendezvous(*id, &after));
    assert!((300..700).contains(&moved.count()), "about half of the ids must move");
}

proptest! {
    #[test]
    fn a_choice_is_a_candidate_and_the_same_from_the_same_seed(
        loads in prop::collection::vec(0_u32..5, 1..9),
        seed in any::<u64>(),
        rounds in 1_usize..20,
    ) {
        let candidates: Vec<_> = loads
            .iter()
            .zip(0..)
            .map(|(in_flight, number)| Candidate { instance: instance(number), in_flight: *in_flight })
            .collect();
        for balancing in ALL {
            let run = || {
                let (mut strategy, mut random) = (balancing.strategy(), fastrand::Rng::with_seed(seed));
                (0..rounds).map(|_| strategy.pick(&candidates, &mut random)).collect::<Vec<_>>()
            };
            prop_assert!(run().iter().all(|chosen| *chosen < candidates.len()));
            prop_assert_eq!(run(), run());
        }
    }
}
