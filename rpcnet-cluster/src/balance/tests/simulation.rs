//! Calls and workers in virtual time: what the strategies make of workers that are slow or fail. Seeded.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{Chooser, End, LoadBalancing},
    assert_even,
    fleet::{Fleet, chooser},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How a worker takes a call: how long, and how it ends. Gets its number and the time since the beginning.
type Behaviour = fn(usize, Duration, &mut fastrand::Rng) -> (Duration, End);

/// A minute or so of calls, one after another at their rate whatever becomes of those before.
struct Scenario {
    workers: u32,
    calls: u32,
    /// The mean time between two calls; they come by chance (a Poisson process).
    every: Duration,
    timeout: Duration,
    behaviour: Behaviour,
}

/// What became of a call.
struct Ended {
    at: Duration,
    worker: usize,
    in_time: bool,
}

impl Scenario {
    fn run(&self, balancing: LoadBalancing) -> Vec<Ended> {
        self.run_with(balancing, None)
    }

    /// With the same key for all calls, if there is one.
    fn run_with(&self, balancing: LoadBalancing, key: Option<u64>) -> Vec<Ended> {
        let mut fleet = Fleet::of(self.workers);
        let mut chooser = chooser(balancing, 1);
        let mut random = fastrand::Rng::with_seed(2);
        let mut under_way = BTreeMap::new();
        let (mut ended, mut begins) = (Vec::new(), fleet.now);
        for number in 0..self.calls {
            begins += self.every.mul_f64(-random.f64().max(1e-9).ln());
            while under_way.first_key_value().is_some_and(|((ends, _), _)| *ends <= begins) {
                end(&mut fleet, &mut under_way, &mut ended);
            }
            fleet.now = begins;
            let worker = chooser.pick(&fleet.candidates(), key);
            let gauge = &fleet.workers[worker].gauge;
            gauge.enter();
            gauge.handle_begun(begins);
            let (took, how) = (self.behaviour)(worker, begins - fleet.start, &mut random);
            let (took, how) = if took > self.timeout { (self.timeout, End::TimedOut) } else { (took, how) };
            under_way.insert((begins + took, number), (begins, worker, how));
        }
        while !under_way.is_empty() {
            end(&mut fleet, &mut under_way, &mut ended);
        }
        assert!(fleet.workers.iter().all(|worker| worker.gauge.in_flight() == 0));
        ended
    }
}

type UnderWay = BTreeMap<(std::time::Instant, u32), (std::time::Instant, usize, End)>;

/// Ends the call that ends first.
fn end(fleet: &mut Fleet, under_way: &mut UnderWay, ended: &mut Vec<Ended>) {
    let ((now, _), (begun, worker, how)) = under_way.pop_first().expect("one is under way");
    fleet.now = now;
    fleet.workers[worker].gauge.leave();
    fleet.workers[worker].gauge.handle_ended(now, now - begun, how);
    ended.push(Ended { at: begun - fleet.start, worker, in_time: how == End::Answered });
}

/// The parts of all calls begun within some time that went to each worker.
fn shares(ended: &[Ended], workers: u32, from: Duration, to: Duration) -> Vec<u32> {
    let mut shares = vec![0; workers as usize];
    let within = ended.iter().filter(|call| (from..to).contains(&call.at));
    within.for_each(|call| shares[call.worker] += 1);
    shares
}

fn part(shares: &[u32], place: usize) -> f64 {
    f64::from(shares[place]) / f64::from(shares.iter().sum::<u32>())
}

/// About `millis`, give or take as many hundredths.
fn about(millis: u64, hundredths: u32, random: &mut fastrand::Rng) -> Duration {
    let off = f64::from(hundredths) / 100.0;
    ms(millis).mul_f64(1.0 - off + 2.0 * off * random.f64())
}

#[test]
fn workers_that_are_alike_get_even_shares_while_calls_are_under_way() {
    for workers in [4, 7] {
        let scenario = Scenario {
            workers,
            calls: super::CALLS,
            every: Duration::from_micros(500),
            timeout: ms(1_000),
            behaviour: |_, _, random| (about(20, 20, random), End::Answered),
        };
        // What the others do does not depend on the calls under way.
        for balancing in [LoadBalancing::LeastConnections, LoadBalancing::PeakEwma, LoadBalancing::Consistent]
        {
            let ended = scenario.run(balancing);
            let shares = shares(&ended, workers, Duration::ZERO, Duration::MAX);
            assert_even(&shares, (balancing, workers));
        }
    }
}

/// By Little's law: with as many calls in flight at each, a worker twice as quick answers twice as many.
#[test]
fn least_connections_gives_workers_calls_as_they_are_quick_to_answer() {
    let scenario = Scenario {
        workers: 6,
        calls: super::CALLS,
        every: Duration::from_micros(50),
        timeout: ms(1_000),
        behaviour: |worker, _, random| (about(if worker < 2 { 10 } else { 20 }, 20, random), End::Answered),
    };
    let ended = scenario.run(LoadBalancing::LeastConnections);
    let shares = shares(&ended, 6, Duration::ZERO, Duration::MAX);
    for place in 0..6 {
        let promised = if place < 2 { 0.25 } else { 0.125 };
        assert!((part(&shares, place) / promised - 1.0).abs() < 0.02, "worker {place}: {shares:?}");
    }
}

/// One key for all calls: its worker has a quarter more than an even share, and so has the next in the key's order.
#[test]
fn a_key_of_all_calls_gives_its_workers_as_much_as_the_bound_lets_them_have() {
    let scenario = Scenario {
        workers: 5,
        calls: super::CALLS,
        every: Duration::from_micros(50),
        timeout: ms(1_000),
        behaviour: |_, _, random| (about(20, 20, random), End::Answered),
    };
    let ended = scenario.run_with(LoadBalancing::Consistent, Some(7));
    let mut shares = shares(&ended, 5, Duration::ZERO, Duration::MAX);
    shares.sort_unstable();
    assert!((1..5).all(|place| (part(&shares, place) / 0.25 - 1.0).abs() < 0.02), "{shares:?}");
}

/// T1: eleven workers of 167 ms, one of which takes two seconds for half a minute; a call waits for one second and is not
/// sent again. The part of the calls of that half minute that are answered in time.
#[test]
fn a_slow_worker_spoils_hardly_any_calls() {
    let scenario = Scenario {
        workers: 11,
        calls: 50_000,
        every: ms(1),
        timeout: ms(1_000),
        behaviour: |worker, at, random| {
            let slow = worker == 4 && (ms(10_000)..ms(40_000)).contains(&at);
            (if slow { ms(2_000) } else { about(167, 3, random) }, End::Answered)
        },
    };
    let in_time = |balancing| {
        let ended = scenario.run(balancing);
        let slow: Vec<_> = ended.iter().filter(|call| (ms(10_000)..ms(40_000)).contains(&call.at)).collect();
        let answered = slow.iter().filter(|call| call.in_time).count();
        100.0 * answered as f64 / slow.len() as f64
    };
    let [round_robin, least, peak] =
        [LoadBalancing::RoundRobin, LoadBalancing::LeastConnections, LoadBalancing::PeakEwma].map(in_time);
    println!(
        "in time: round robin {round_robin:.2} %, least connections {least:.2} %, peak EWMA {peak:.2} %"
    );
    assert!(peak >= 99.9 && least >= 98.0 && round_robin < 92.0, "{round_robin} {least} {peak}");
}

/// T7: a worker that fails in 10 µs looks idle and quick to whoever does not count failures.
#[test]
fn a_worker_that_fails_at_once_gets_less_than_its_share_within_a_second() {
    let scenario = Scenario {
        workers: 10,
        calls: 30_000,
        every: ms(1),
        timeout: ms(1_000),
        behaviour: |worker, _, random| match worker {
            7 => (Duration::from_micros(10), End::Failed { hint: None }),
            _ => (about(20, 50, random), End::Answered),
        },
    };
    for balancing in [LoadBalancing::LeastConnections, LoadBalancing::PeakEwma] {
        let ended = scenario.run(balancing);
        for second in 1..30 {
            let shares = shares(&ended, 10, ms(second * 1_000), ms(second * 1_000 + 1_000));
            assert!(part(&shares, 7) < 0.03, "{balancing:?}, second {second}: {shares:?}");
        }
        println!("{balancing:?}: {} of 30000 failed", ended.iter().filter(|call| !call.in_time).count());
    }
}

/// The selection half of the third situation: a worker answers fifty times as slowly.
#[test]
fn row_3_calls_move_away_from_a_worker_that_answers_fifty_times_as_slowly_and_back_when_it_recovers() {
    let scenario = Scenario {
        workers: 4,
        calls: 60_000,
        every: ms(2),
        timeout: ms(10_000),
        behaviour: |worker, at, random| {
            let slow = worker == 0 && (ms(20_000)..ms(60_000)).contains(&at);
            (if slow { ms(1_000) } else { about(20, 20, random) }, End::Answered)
        },
    };
    for (balancing, at_most) in [(LoadBalancing::LeastConnections, 0.03), (LoadBalancing::PeakEwma, 0.004)] {
        let ended = scenario.run(balancing);
        let share = |from: u64, to: u64| part(&shares(&ended, 4, ms(from * 1_000), ms(to * 1_000)), 0);
        let found = [share(5, 20), share(20, 60), share(90, 120)];
        println!("{balancing:?}: {found:.4?}");
        assert!((found[0] - 0.25).abs() < 0.03, "{balancing:?}: alike before: {found:?}");
        assert!(found[1] < at_most, "{balancing:?}: left alone: {found:?}");
        assert!((found[2] - 0.25).abs() < 0.03, "{balancing:?}: alike again: {found:?}");
    }
}

/// The selection half of the fourth: what a failed worker carried is carried by all the others alike.
#[test]
fn row_4_the_load_of_a_lost_worker_is_spread_over_all_the_others() {
    for balancing in super::ALL {
        let (fleet, mut chooser): (_, Chooser) = (Fleet::of(6), chooser(balancing, 4));
        for _ in 0..600 {
            fleet.load(fleet.pick(&mut chooser), 1);
        }
        let lost = fleet.workers[2].gauge.in_flight();
        let left = [0, 1, 3, 4, 5];
        for _ in 0..lost {
            fleet.load(left[chooser.pick(&fleet.those(&left), None)], 1);
        }
        let busiest = left.iter().map(|place| fleet.workers[*place].gauge.in_flight()).max();
        let bound = if balancing == LoadBalancing::Random { 150 } else { 123 };
        assert!(busiest <= Some(bound), "{balancing:?}: {busiest:?}");
    }
}

/// A worker that was failing and is well again is found out by one call in a hundred, and not only when its estimate has
/// fallen.
#[test]
fn a_worker_that_was_avoided_is_tried_again() {
    let scenario = Scenario {
        workers: 8,
        calls: 60_000,
        every: ms(1),
        timeout: ms(1_000),
        behaviour: |worker, at, _| match worker {
            3 if at < ms(5_000) => (ms(1), End::Failed { hint: None }),
            _ => (ms(2), End::Answered),
        },
    };
    let ended = scenario.run(LoadBalancing::PeakEwma);
    let first = ended.iter().find(|call| call.worker == 3 && call.at > ms(5_000)).expect("it is tried");
    assert!(first.at < ms(11_500), "tried at {:?}", first.at);
    let share = part(&shares(&ended, 8, ms(25_000), ms(60_000)), 3);
    assert!((share - 0.125).abs() < 0.01, "it has its share again: {share:.4}");
}
