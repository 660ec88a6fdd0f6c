//! Claims about the breaker: of connections, then of calls.

use proptest::prelude::*;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How long the worker is out after each of these refusals in a row.
fn periods(random: f64, refusals: usize) -> Vec<Duration> {
    let (mut breaker, mut now, mut periods) = (Breaker::default(), Instant::now(), Vec::new());
    for _ in 0..refusals {
        breaker.handle_refused(now, random);
        let out = (0..).map(ms).find(|after| breaker.admits(now + *after)).expect("it ends");
        now += out;
        periods.push(out);
    }
    periods
}

#[test]
fn the_first_refusal_opens_and_each_further_one_for_twice_as_long() {
    assert_eq!(periods(0.5, 9), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].map(ms));
    assert_eq!(periods(0.0, 2), [50, 100].map(ms));
}

#[test]
fn however_many_calls_are_refused_at_once_the_worker_is_out_for_one_period() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    (0..50).for_each(|_| breaker.handle_refused(start, 1.0));
    assert!(breaker.is_out(start + ms(149)) && breaker.admits(start + ms(150)));
}

#[test]
fn a_worker_is_refused_only_when_a_connection_could_not_be_opened() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    breaker.handle_lost(start, 0.5);
    breaker.handle_picked(start, start + ms(1_000), start + ms(1_000));
    assert!(!breaker.admits(start) && !breaker.is_refused(start), "lost, and somebody is trying");
    breaker.handle_refused(start, 0.5);
    assert!(breaker.is_refused(start + ms(99)) && !breaker.is_refused(start + ms(100)));
    breaker.handle_picked(start + ms(100), start + ms(1_000), start + ms(1_000));
    assert!(breaker.is_refused(start + ms(100)), "the trial has not shown anything yet");
    breaker.handle_connected();
    assert!(!breaker.is_refused(start + ms(100)));
}

#[test]
fn one_call_at_a_time_tries_a_worker_that_was_out() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    breaker.handle_refused(start, 0.5);
    assert!(!breaker.admits(start + ms(99)));
    let trial = start + ms(100);
    assert!(breaker.admits(trial));
    breaker.handle_picked(trial, trial + ms(1_000), trial + ms(1_000));
    assert!(!breaker.admits(trial), "the trial is under way");
    assert!(breaker.admits(trial + ms(1_000)), "the trial was forgotten");
}

#[test]
fn a_connection_ends_a_refusal_and_forgets_how_often_it_was() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    (0..5).for_each(|period| breaker.handle_refused(start + ms(10_000) * period, 0.5));
    breaker.handle_connected();
    assert!(breaker.admits(start));
    breaker.handle_refused(start, 0.5);
    assert!(breaker.admits(start + ms(100)));
}

#[test]
fn after_a_lost_connection_the_first_call_finds_out_and_the_others_stay_away() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    breaker.handle_lost(start, 0.5);
    assert!(breaker.admits(start));
    breaker.handle_picked(start, start + ms(1_000), start + ms(1_000));
    breaker.handle_lost(start, 0.5);
    assert!(!breaker.admits(start), "the other calls of the lost connection do not end the trial");
    breaker.handle_refused(start, 0.5);
    assert!(!breaker.admits(start + ms(99)) && breaker.admits(start + ms(100)));
}

#[test]
fn picking_a_worker_that_is_in_or_still_out_changes_nothing() {
    let start = Instant::now();
    let mut breaker = Breaker::default();
    breaker.handle_picked(start, start + ms(1_000), start + ms(1_000));
    assert!(breaker.admits(start));
    breaker.handle_refused(start, 0.5);
    breaker.handle_picked(start, start + ms(1_000), start + ms(1_000));
    assert!(breaker.admits(start + ms(100)));
}

/// A call at `now` that ends at once.
fn call(breaker: &mut Breaker, now: Instant, verdict: Verdict) {
    let ticket = breaker.handle_picked(now, now, now);
    breaker.handle_ended(now, ticket, verdict, 0.5);
}

use Verdict::{Failed, Nothing, Served};

#[test]
fn five_failures_in_a_row_open_and_four_do_not() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    for _ in 0..3 {
        (0..4).for_each(|_| call(&mut breaker, now, Failed));
        call(&mut breaker, now, Served);
    }
    (0..4).for_each(|_| call(&mut breaker, now, Failed));
    assert!(breaker.admits(now));
    (0..9).for_each(|_| call(&mut breaker, now, Nothing));
    assert!(breaker.admits(now), "what says nothing counts for nothing");
    call(&mut breaker, now, Failed);
    assert!(!breaker.admits(now + ms(999)) && breaker.is_failing(now) && !breaker.is_refused(now));
    assert!(breaker.admits(now + ms(1_000)));
}

#[test]
fn less_than_four_in_five_of_twenty_calls_open() {
    let start = Instant::now();
    let one_in = |failing: usize, calls: usize, apart: Duration| {
        let mut breaker = Breaker::default();
        let run = |nth: usize| {
            let now = start + apart * nth as u32;
            call(&mut breaker, now, if nth % failing == failing - 1 { Failed } else { Served });
            !breaker.admits(now)
        };
        (0..calls).any(run)
    };
    assert!(!one_in(5, 1_000, ms(10)), "80 % is enough");
    assert!(one_in(4, 20, ms(10)));
    assert!(!one_in(4, 19, ms(10)), "of fewer calls a share says nothing");
    assert!(!one_in(4, 1_000, ms(2_000)), "fifteen calls in thirty seconds are fewer");
}

#[test]
fn one_probe_decides_and_the_period_doubles_up_to_a_minute() {
    let (mut now, mut breaker, mut periods) = (Instant::now(), Breaker::default(), Vec::new());
    (0..5).for_each(|_| call(&mut breaker, now, Failed));
    for _ in 0..8 {
        let until = breaker.open_until().expect("it is open");
        periods.push((until - now).as_secs());
        now = until;
        let ticket = breaker.handle_picked(now, now, now + ms(700));
        assert!(!breaker.admits(now) && !breaker.admits(now + ms(699)) && breaker.admits(now + ms(700)));
        now += ms(1);
        breaker.handle_ended(now, ticket, Failed, 0.5);
    }
    assert_eq!(periods, [1, 2, 4, 8, 16, 32, 60, 60]);
    now = breaker.open_until().expect("it is open");
    call(&mut breaker, now, Served);
    assert!(breaker.open_until().is_none());
}

#[test]
fn a_worker_that_fails_again_soon_is_out_for_longer_and_one_that_was_well_for_long_is_not() {
    for (well, period) in [(ms(29_000), ms(2_000)), (ms(30_000), ms(1_000))] {
        let (mut now, mut breaker) = (Instant::now(), Breaker::default());
        (0..5).for_each(|_| call(&mut breaker, now, Failed));
        now += ms(1_000);
        call(&mut breaker, now, Served);
        now += well;
        (0..5).for_each(|_| call(&mut breaker, now, Failed));
        assert_eq!(breaker.open_until(), Some(now + period));
    }
}

#[test]
fn the_late_success_of_an_old_call_closes_nothing_and_its_late_failure_opens_nothing() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    let old: Vec<_> = (0..20).map(|_| breaker.handle_picked(now, now, now)).collect();
    (0..5).for_each(|_| call(&mut breaker, now, Failed));
    let later = now + ms(1_000);
    let probe = breaker.handle_picked(later, later, later + ms(500));
    breaker.handle_ended(later, old[0], Served, 0.5);
    assert!(breaker.circuit() == CircuitState::HalfOpen && !breaker.admits(later));
    breaker.handle_ended(later, probe, Served, 0.5);
    assert!(breaker.admits(later));
    old.iter().for_each(|ticket| breaker.handle_ended(later, *ticket, Failed, 0.5));
    assert!(breaker.admits(later));
}

#[test]
fn a_probe_that_was_given_up_makes_room_for_the_next() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    (0..5).for_each(|_| call(&mut breaker, now, Failed));
    let later = now + ms(1_000);
    call(&mut breaker, later, Nothing);
    assert!(breaker.admits(later) && breaker.circuit() != CircuitState::HalfOpen);
}

/// Calls that go there while the probe is under way, because there is no other worker or theirs is this one.
#[test]
fn only_the_probe_decides() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    (0..5).for_each(|_| call(&mut breaker, now, Failed));
    let later = now + ms(1_000);
    let probe = breaker.handle_picked(later, later, later + ms(500));
    for verdict in [Nothing, Served, Failed] {
        let beside = breaker.handle_picked(later, later, later + ms(500));
        breaker.handle_ended(later, beside, verdict, 0.5);
        assert!(breaker.circuit() == CircuitState::HalfOpen && !breaker.admits(later), "{verdict:?}");
    }
    breaker.handle_ended(later, probe, Served, 0.5);
    assert!(breaker.open_until().is_none());
}

#[test]
fn a_connection_does_not_close_what_failing_calls_have_opened() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    (0..5).for_each(|_| call(&mut breaker, now, Failed));
    breaker.handle_connected();
    assert!(breaker.is_failing(now));
}

#[test]
fn calls_that_were_on_a_broken_connection_are_one_failure_and_five_breaks_are_a_failing_worker() {
    let (now, mut breaker) = (Instant::now(), Breaker::default());
    for round in 1..=5 {
        let tickets: Vec<_> = (0..50).map(|_| breaker.handle_picked(now, now, now)).collect();
        breaker.handle_lost(now, 0.5);
        tickets.iter().for_each(|ticket| breaker.handle_ended(now, *ticket, Failed, 0.5));
        breaker.handle_connected();
        assert_eq!(breaker.is_failing(now), round == 5);
    }
}

#[test]
fn a_third_is_left_alone_for_failing_and_never_the_last() {
    let table: [(&[bool], &[bool], &[usize]); 6] = [
        (&[true], &[false], &[0]),
        (&[true, true], &[false, false], &[1]),
        (&[true, false], &[false, false], &[]),
        (&[true, false], &[false, true], &[0]),
        (&[true, true, true, false], &[false; 4], &[1, 2]),
        (&[true, true, true, false, false, false], &[false; 6], &[2]),
    ];
    for (failing, out, expected) in table {
        assert_eq!(pardoned(failing, out), expected, "failing {failing:?}, out {out:?}");
    }
}

/// What may happen to a breaker, and after how long.
fn any_event() -> impl Strategy<Value = (u64, u8, prop::sample::Index)> {
    (prop_oneof![0..50_u64, 0..5_000_u64], 0..8_u8, any::<prop::sample::Index>())
}

proptest! {
    #[test]
    fn whatever_happens_one_probe_at_a_time_is_let_through_and_it_opens_again_in_the_end(
        events in prop::collection::vec(any_event(), 1..400),
        random in 0.0..1.0_f64,
    ) {
        let (mut now, mut breaker) = (Instant::now(), Breaker::default());
        let mut tickets = Vec::new();
        for (millis, event, pick) in events {
            now += ms(millis);
            match event {
                0..=2 if breaker.admits(now) => {
                    let was_closed = breaker.open_until().is_none();
                    tickets.push(breaker.handle_picked(now, now + ms(1_000), now + ms(2_000)));
                    prop_assert!(was_closed || !breaker.admits(now), "the probe is the only one");
                }
                3 => breaker.handle_lost(now, random),
                4 => breaker.handle_refused(now, random),
                5 => breaker.handle_connected(),
                _ if !tickets.is_empty() => {
                    let ticket = tickets.swap_remove(pick.index(tickets.len()));
                    let verdict = [Served, Failed, Failed, Nothing][usize::from(event % 4)];
                    let (before, current) = (breaker.open_until(), ticket == Ticket(breaker.epoch));
                    breaker.handle_ended(now, ticket, verdict, random);
                    prop_assert!(current || before == breaker.open_until(), "an old call changes nothing");
                }
                _ => {}
            }
            let longest = Limits::DEFAULT.open_max.mul_f64(1.5);
            prop_assert!(breaker.open_until().is_none_or(|until| until <= now + longest));
            prop_assert!(breaker.admits(now + longest), "it is never out for good");
        }
    }
}
