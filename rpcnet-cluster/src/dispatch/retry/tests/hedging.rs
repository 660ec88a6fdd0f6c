//! Claims about a second attempt beside the first.

use super::*;

impl Call {
    /// A second attempt, if there is to be one.
    fn hedge(&mut self) -> String {
        let Some((among, deadline)) = self.schedule.hedge(self.now, &self.field) else {
            return "nobody".to_owned();
        };
        let instance = self.field[among[0]].instance;
        self.under_way.push(instance);
        self.schedule.handle_hedged(instance);
        format!("hedge {among:?} for {:?}", deadline - self.now)
    }
}

#[test]
fn a_hedge_goes_to_another_worker_and_counts_as_an_attempt() {
    let mut call = Call::over(3, Idempotent);
    assert_eq!(call.hedge(), "nobody", "no attempt is under way");
    assert_eq!(call.next(), "0ns try [0, 1, 2] for 5s");
    call.now += ms(40);
    assert_eq!(call.hedge(), "hedge [1, 2] for 5s");
    assert_eq!(call.hedge(), "nobody", "one hedge a call");
    call.fail(Reason::ConnectionLost, Unknown);
    call.fail(Reason::ConnectionLost, Unknown);
    assert_eq!(call.next(), "40ms wait 50ms");
    assert_eq!(call.next(), "90ms try [2] for 9.91s", "the third and last attempt");
    assert_eq!(call.hedge(), "nobody");
    call.fail(Reason::ConnectionLost, Unknown);
    assert_eq!(call.next(), "90ms give up: Attempts");
}

#[test]
fn only_what_may_run_twice_is_hedged() {
    for (idempotency, hedged) in [(AtMostOnce, false), (Keyed, false), (Idempotent, true)] {
        let mut call = Call::over(2, idempotency);
        call.next();
        assert_eq!(call.hedge() != "nobody", hedged, "{idempotency:?}");
    }
}

#[test]
fn a_hedge_needs_a_worker_that_nothing_speaks_against() {
    let hedge = |mark: fn(&mut [Runner])| {
        let mut call = Call::over(3, Idempotent);
        call.next();
        mark(&mut call.field);
        call.hedge()
    };
    assert_eq!(hedge(|_| ()), "hedge [1, 2] for 5s");
    assert_eq!(hedge(|field| field[1].ejected = true), "hedge [2] for 5s");
    assert_eq!(hedge(|field| field[2].suspected = true), "hedge [1] for 5s");
    assert_eq!(hedge(|field| field[1..].iter_mut().for_each(|runner| runner.suspected = true)), "nobody");
    let two_of_three_out = hedge(|field| field[..2].iter_mut().for_each(|runner| runner.ejected = true));
    assert_eq!(two_of_three_out, "nobody", "those who are left have enough to do");
    let mut alone = Call::over(1, Idempotent);
    alone.next();
    assert_eq!(alone.hedge(), "nobody");
}

#[test]
fn while_the_hedge_is_under_way_it_is_the_resend() {
    let mut call = Call::over(3, Idempotent);
    call.next();
    call.hedge();
    while call.budget.withdraw(call.now) {}
    call.fail(Reason::ConnectionLost, Unknown);
    // An empty budget keeps nobody from waiting for the other.
    assert_eq!(call.schedule.gave_up, None);
    call.fail(Reason::Overloaded, No);
    assert_eq!(call.next(), "0ns give up: Budget");
}

#[test]
fn a_hedge_that_reached_nobody_leaves_the_call_its_other_attempts() {
    let mut call = Call::over(3, Idempotent);
    call.next();
    call.hedge();
    call.fail(Reason::ConnectionLost, Unknown);
    call.fail(Reason::ConnectFailed, No);
    assert_eq!(call.next(), "0ns try [2] for 5s");
}

/// What happens next in a random run.
fn any_step() -> impl Strategy<Value = (u64, bool, prop::sample::Index, (u64, Reason, Executed), [bool; 5])> {
    (0..2_000_u64, any::<bool>(), any::<prop::sample::Index>(), any_failure(), any::<[bool; 5]>())
}

proptest! {
    #[test]
    fn no_hedge_breaks_a_promise(
        idempotency in prop::sample::select(vec![AtMostOnce, Idempotent, Keyed]),
        workers in 1..5_u128,
        attempts_max in 1..6_u32,
        steps in prop::collection::vec(any_step(), 200),
    ) {
        let mut call = Call::over(workers, idempotency);
        let deadline = call.start + ms(10_000);
        let policy = Policy { attempts_max, ..POLICY };
        call.schedule = Schedule::new(call.start, deadline, idempotency, policy);
        let (mut started, mut reached, mut may_run) = (BTreeMap::<Instance, u32>::new(), 0, 0);
        // When each attempt under way must end.
        let mut under_way: Vec<(Instance, Instant)> = Vec::new();
        let mut ended = false;
        for (millis, hedges, pick, (_, reason, executed), out) in steps {
            if under_way.is_empty() {
                call.field.iter_mut().zip(out).for_each(|(runner, out)| runner.ejected = out);
                match call.schedule.next(call.now, &call.field) {
                    Next::Wait { until } => call.now = until,
                    Next::GiveUp(_) => {
                        ended = true;
                        break;
                    }
                    Next::Try { among, deadline } => {
                        let chosen = call.field[*pick.get(&among)].instance;
                        call.schedule.handle_started(chosen);
                        *started.entry(chosen).or_default() += 1;
                        under_way.push((chosen, deadline));
                    }
                }
                prop_assert!(idempotency != AtMostOnce || may_run == 0 || under_way.is_empty(), "ran twice");
                continue;
            }
            call.now = under_way.iter().map(|(_, until)| *until).fold(call.now + ms(millis), Instant::min);
            if hedges && let Some((among, until)) = call.schedule.hedge(call.now, &call.field) {
                let chosen = call.field[*pick.get(&among)].instance;
                prop_assert!(idempotency == Idempotent && until <= deadline);
                prop_assert!(!started.contains_key(&chosen), "a hedge is another worker for certain");
                call.schedule.handle_hedged(chosen);
                started.insert(chosen, 1);
                under_way.push((chosen, until));
                prop_assert!(under_way.len() <= 2 && reached + 2 <= attempts_max);
                continue;
            }
            let (instance, _) = under_way.remove(pick.index(under_way.len()));
            let status = Status::new(reason, executed, "");
            reached += u32::from(Class::of(&status).was_sent());
            may_run += u32::from(executed != No);
            prop_assert!(reached <= attempts_max);
            call.schedule.handle_failure(call.now, instance, (&status).into(), &mut call.budget, 0.5);
        }
        prop_assert!(ended, "the call goes on for ever");
        prop_assert!(call.now <= deadline);
    }
}
