//! Claims about the schedule: what it wants next, as lists of decisions.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rpcnet::Reason;

use super::*;
use crate::registry::testing::instance;

mod hedging;
mod spending;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const POLICY: Policy = Policy { attempts_max: 3, wait_for_ready: ms(2_000), backoff: Backoff::DEFAULT };

/// A call with a deadline of ten seconds over some workers, all dice showing one half, and a line for each thing that
/// happens: time, and what the schedule wants.
struct Call {
    start: Instant,
    now: Instant,
    schedule: Schedule,
    budget: Budget,
    field: Vec<Runner>,
    /// Whom the attempts that have not ended went to, first to last.
    under_way: Vec<Instance>,
}

impl Call {
    fn over(workers: u128, idempotency: Idempotency) -> Self {
        let start = Instant::now();
        let runner = |number| Runner {
            instance: instance(number, 1),
            suspected: false,
            ejected: false,
            refused: false,
        };
        Self {
            start,
            now: start,
            schedule: Schedule::new(start, start + ms(10_000), idempotency, POLICY),
            budget: Budget::new(start, 0.2, 3),
            field: (0..workers).map(runner).collect(),
            under_way: Vec::new(),
        }
    }

    fn next(&mut self) -> String {
        let at = self.now - self.start;
        let wanted = match self.schedule.next(self.now, &self.field) {
            Next::Try { among, deadline } => {
                self.under_way.push(self.field[among[0]].instance);
                self.schedule.handle_started(self.field[among[0]].instance);
                format!("try {among:?} for {:?}", deadline - self.now)
            }
            Next::Wait { until } => {
                let wait = format!("wait {:?}", until - self.now);
                self.now = until;
                wait
            }
            Next::GiveUp(why) => format!("give up: {why:?}"),
        };
        format!("{at:?} {wanted}")
    }

    fn fail(&mut self, reason: Reason, executed: Executed) {
        self.fail_with(&Status::new(reason, executed, ""));
    }

    fn fail_with(&mut self, status: &Status) {
        let instance = self.under_way.remove(0);
        self.schedule.handle_failure(self.now, instance, status.into(), &mut self.budget, 0.5);
    }

    /// What happens when each attempt ends after a millisecond, with the next of these failures; the last one stays.
    fn script(mut self, failures: &[(Reason, Executed)]) -> Vec<String> {
        let (mut lines, mut attempts) = (Vec::new(), 0);
        while lines.last().is_none_or(|line: &String| !line.contains("give up")) {
            let line = self.next();
            if line.contains("try") {
                let (reason, executed) = failures[attempts.min(failures.len() - 1)];
                attempts += 1;
                self.now += ms(1);
                self.fail(reason, executed);
            }
            lines.push(line);
        }
        lines
    }
}

use Executed::{No, Unknown, Yes};
use Idempotency::{AtMostOnce, Idempotent, Keyed};

const REFUSED: (Reason, Executed) = (Reason::ConnectFailed, No);
const OVERLOADED: (Reason, Executed) = (Reason::Overloaded, No);
const LOST: (Reason, Executed) = (Reason::ConnectionLost, Unknown);
const PANICKED: (Reason, Executed) = (Reason::Panicked, Yes);

#[test]
fn what_was_not_sent_goes_to_every_other_worker_at_once() {
    assert_eq!(
        Call::over(4, AtMostOnce).script(&[REFUSED, REFUSED, REFUSED, PANICKED]),
        [
            "0ns try [0, 1, 2, 3] for 10s",
            "1ms try [1, 2, 3] for 9.999s",
            "2ms try [2, 3] for 9.998s",
            "3ms try [3] for 9.997s",
            "4ms give up: MayHaveRun",
        ]
    );
}

#[test]
fn what_may_have_run_is_not_sent_again_unless_that_is_safe() {
    for failure in [LOST, PANICKED, (Reason::Deadline, Unknown), (Reason::Unspecified, Yes)] {
        assert_eq!(
            Call::over(3, AtMostOnce).script(&[failure]),
            ["0ns try [0, 1, 2] for 10s", "1ms give up: MayHaveRun"],
            "{failure:?}"
        );
    }
    assert_eq!(
        Call::over(3, Idempotent).script(&[LOST, PANICKED, LOST]),
        [
            "0ns try [0, 1, 2] for 5s",
            "1ms try [1, 2] for 5s",
            "2ms wait 50ms",
            "52ms try [2] for 9.948s",
            "53ms give up: Attempts",
        ],
        "the first resend waits for nothing, the second for a while, and the last attempt has all of the time"
    );
}

#[test]
fn a_failure_of_the_call_itself_is_final() {
    for reason in
        [Reason::UnknownMethod, Reason::UndecodableArguments, Reason::MessageTooLarge, Reason::NoWorkers]
    {
        assert_eq!(
            Call::over(3, Idempotent).script(&[(reason, No)]),
            ["0ns try [0, 1, 2] for 5s", "1ms give up: NotRepeatable"],
            "{reason:?}"
        );
    }
}

#[test]
fn a_keyed_call_goes_elsewhere_until_it_may_have_run_and_then_back_to_whoever_may_have_it() {
    assert_eq!(
        Call::over(3, Keyed).script(&[REFUSED, OVERLOADED, LOST, REFUSED, OVERLOADED]),
        [
            "0ns try [0, 1, 2] for 10s",
            "1ms try [1, 2] for 9.999s",
            "2ms try [2] for 9.998s",
            "3ms wait 50ms",
            "53ms try [2] for 9.947s",
            "54ms wait 50ms",
            "104ms try [2] for 9.896s",
            "105ms give up: Attempts",
        ]
    );
}

#[test]
fn a_keyed_call_whose_handler_panicked_is_not_sent_again() {
    assert_eq!(
        Call::over(3, Keyed).script(&[PANICKED]),
        ["0ns try [0, 1, 2] for 10s", "1ms give up: MayHaveRun"]
    );
}

#[test]
fn a_keyed_call_whose_keeper_is_gone_asks_the_others_who_know_what_they_do_not_know() {
    let mut call = Call::over(3, Keyed);
    call.field[0].suspected = true;
    assert_eq!(call.next(), "0ns try [0, 1, 2] for 10s");
    call.fail(LOST.0, LOST.1);
    assert_eq!(call.next(), "0ns wait 25ms");
    call.field.remove(0);
    assert_eq!(call.next(), "25ms try [0, 1] for 9.975s");
    call.fail(Reason::DedupHorizonLost, Unknown);
    assert_eq!(call.next(), "25ms give up: NotRepeatable");
    assert_eq!(call.schedule.executed(), Unknown);
}

#[test]
fn a_keeper_that_cannot_be_reached_is_waited_for_as_long_as_nobody_else_would_be() {
    let mut call = Call::over(2, Keyed);
    call.schedule =
        Schedule::new(call.start, call.start + ms(10_000), Keyed, POLICY).kept_by(Some(instance(1, 1)));
    let mut tries = Vec::new();
    while call.now < call.start + ms(2_000) {
        let line = call.next();
        if line.contains("try") {
            tries.push(line);
            call.fail(Reason::ConnectFailed, No);
        }
    }
    assert!(tries.len() > 3 && tries.iter().all(|line| line.contains("try [1]")), "{tries:#?}");
    assert!(call.next().contains("try [0]"), "the other one");
}

#[test]
fn a_keeper_that_is_leaving_is_not_waited_for() {
    let mut call = Call::over(2, Keyed);
    call.schedule =
        Schedule::new(call.start, call.start + ms(10_000), Keyed, POLICY).kept_by(Some(instance(1, 1)));
    assert_eq!(call.next(), "0ns try [1] for 10s");
    call.fail(Reason::Draining, No);
    assert_eq!(call.next(), "0ns try [0] for 10s");
}

#[test]
fn workers_that_all_refuse_are_tried_again_ever_more_seldom_and_not_for_long() {
    assert_eq!(
        Call::over(2, AtMostOnce).script(&[REFUSED]),
        [
            "0ns try [0, 1] for 10s",
            "1ms try [1] for 9.999s",
            "2ms wait 25ms",
            "27ms try [0, 1] for 9.973s",
            "28ms wait 50ms",
            "78ms try [1] for 9.922s",
            "79ms wait 50ms",
            "129ms try [0, 1] for 9.871s",
            "130ms wait 100ms",
            "230ms try [1] for 9.77s",
            "231ms wait 100ms",
            "331ms try [0, 1] for 9.669s",
            "332ms wait 200ms",
            "532ms try [1] for 9.468s",
            "533ms wait 200ms",
            "733ms try [0, 1] for 9.267s",
            "734ms wait 400ms",
            "1.134s try [1] for 8.866s",
            "1.135s wait 400ms",
            "1.535s try [0, 1] for 8.465s",
            "1.536s wait 800ms",
            "2.336s give up: NoWorkers",
        ]
    );
}

#[test]
fn an_empty_registry_is_waited_for_and_a_worker_that_comes_is_used() {
    let mut call = Call::over(0, AtMostOnce);
    assert_eq!(call.next(), "0ns wait 2s");
    assert_eq!(call.next(), "2s give up: NoWorkers");

    let mut call = Call::over(0, AtMostOnce);
    assert_eq!(call.next(), "0ns wait 2s");
    call.now = call.start + ms(300);
    call.field = Call::over(1, AtMostOnce).field;
    assert_eq!(call.next(), "300ms try [0] for 9.7s");
}

#[test]
fn a_worker_that_comes_late_is_waited_for_as_long_as_one_that_was_there() {
    let mut call = Call::over(0, AtMostOnce);
    assert_eq!(call.next(), "0ns wait 2s");
    call.now = call.start + ms(1_990);
    call.field = Call::over(1, AtMostOnce).field;
    assert_eq!(call.next(), "1.99s try [0] for 8.01s");
    call.fail(Reason::ConnectFailed, No);
    assert_eq!(call.next(), "1.99s wait 25ms");
    assert_eq!(call.next(), "2.015s try [0] for 7.985s");
}

#[test]
fn a_patience_without_end_is_no_mistake() {
    let mut call = Call::over(0, AtMostOnce);
    let policy = Policy { wait_for_ready: Duration::MAX, ..POLICY };
    call.schedule = Schedule::new(call.start, call.start + ms(10_000), AtMostOnce, policy);
    assert_eq!(call.next(), "0ns wait 10s");
    assert_eq!(call.next(), "10s give up: NoWorkers");
}

#[test]
fn a_keyed_call_looks_past_suspicion_and_broken_connections_but_not_past_refusals() {
    let mut call = Call::over(4, Keyed);
    call.field[0].suspected = true;
    call.field[1].ejected = true;
    (call.field[2].ejected, call.field[2].refused) = (true, true);
    assert_eq!(call.next(), "0ns try [0, 1, 3] for 10s");
    call.fail(Reason::ConnectFailed, No);
    assert_eq!(call.next(), "0ns try [1, 3] for 10s");
}

#[test]
fn a_worker_that_comes_while_others_are_waited_for_is_tried_at_once() {
    let mut call = Call::over(1, AtMostOnce);
    assert_eq!(call.next(), "0ns try [0] for 10s");
    call.fail(Reason::ConnectFailed, No);
    assert_eq!(call.next(), "0ns wait 25ms");
    call.now = call.start + ms(3);
    call.field = Call::over(2, AtMostOnce).field;
    assert_eq!(call.next(), "3ms try [1] for 9.997s");
}

#[test]
fn a_hint_is_heeded_before_coming_back_and_does_not_keep_from_others() {
    let mut call = Call::over(2, AtMostOnce);
    let hinted = Status::new(Reason::Overloaded, No, "").retry_after(ms(700));
    assert_eq!(call.next(), "0ns try [0, 1] for 10s");
    call.fail_with(&hinted);
    assert_eq!(call.next(), "0ns try [1] for 10s");
    call.fail_with(&hinted);
    assert_eq!(call.next(), "0ns wait 700ms");
    assert_eq!(call.next(), "700ms try [0, 1] for 9.3s");
}

#[test]
fn a_wait_that_does_not_fit_the_deadline_is_not_begun() {
    let mut call = Call::over(1, AtMostOnce);
    call.schedule.deadline = call.start + ms(200);
    assert_eq!(call.next(), "0ns try [0] for 200ms");
    call.fail_with(&Status::new(Reason::Overloaded, No, "").retry_after(ms(250)));
    assert_eq!(call.next(), "0ns give up: Deadline");
}

#[test]
fn without_budget_the_first_failure_is_the_last() {
    let mut call = Call::over(3, Idempotent);
    while call.budget.withdraw(call.now) {}
    assert_eq!(call.next(), "0ns try [0, 1, 2] for 5s");
    call.fail(Reason::ConnectFailed, No);
    assert_eq!(call.next(), "0ns try [1, 2] for 5s", "what reached nobody costs nothing");
    call.fail(Reason::Overloaded, No);
    assert_eq!(call.next(), "0ns give up: Budget");
}

#[test]
fn overloaded_workers_end_a_call_after_its_attempts() {
    assert_eq!(
        Call::over(5, AtMostOnce).script(&[OVERLOADED]),
        [
            "0ns try [0, 1, 2, 3, 4] for 10s",
            "1ms try [1, 2, 3, 4] for 9.999s",
            "2ms wait 50ms",
            "52ms try [2, 3, 4] for 9.948s",
            "53ms give up: Attempts",
        ]
    );
}

/// A worker's answer in a random run: after how long, and what.
fn any_failure() -> impl Strategy<Value = (u64, Reason, Executed)> {
    let kinds = prop::sample::select(vec![
        REFUSED,
        OVERLOADED,
        LOST,
        PANICKED,
        (Reason::Draining, No),
        (Reason::Deadline, Unknown),
        (Reason::TooManyCalls, No),
        (Reason::Unspecified, No),
        (Reason::UnknownMethod, No),
    ]);
    (0..3_000_u64, kinds).prop_map(|(millis, (reason, executed))| (millis, reason, executed))
}

proptest! {
    #[test]
    fn every_call_ends_in_time_and_no_promise_is_broken(
        idempotency in prop::sample::select(vec![AtMostOnce, Idempotent, Keyed]),
        workers in 0..5_u128,
        attempts_max in 1..6_u32,
        timeout in 1..12_000_u64,
        picks in prop::collection::vec((any::<prop::sample::Index>(), any_failure(), 0.0..1.0_f64, any::<[bool; 5]>()), 200),
    ) {
        let mut call = Call::over(workers, idempotency);
        let policy = Policy { attempts_max, ..POLICY };
        let deadline = call.start + ms(timeout);
        call.schedule = Schedule::new(call.start, deadline, idempotency, policy);
        let mut tries: BTreeMap<Instance, u32> = BTreeMap::new();
        let (mut may_have_run, mut reached) = (Vec::new(), 0);
        let (mut ended, mut unreached) = (false, false);
        for (pick, (millis, reason, executed), random, ejected) in picks {
            for (runner, ejected) in call.field.iter_mut().zip(ejected) {
                (runner.ejected, runner.refused) = (ejected, ejected);
            }
            match call.schedule.next(call.now, &call.field) {
                Next::Wait { until } => {
                    prop_assert!(until > call.now && until <= deadline, "waits end, within the deadline");
                    call.now = until;
                }
                Next::GiveUp(_) => {
                    ended = true;
                    break;
                }
                Next::Try { among, deadline: attempt } => {
                    prop_assert!(attempt > call.now && attempt <= deadline);
                    let chosen = call.field[*pick.get(&among)].instance;
                    // To its keeper; once that cannot be reached, to others, who are told that they cannot know.
                    let kept = idempotency == Keyed && (may_have_run.last() == Some(&chosen) || unreached);
                    let ran_unsafely = idempotency != Idempotent && !may_have_run.is_empty() && !kept;
                    prop_assert!(!ran_unsafely, "what may have run was sent again");
                    let mine = tries.get(&chosen).copied().unwrap_or(0);
                    let reachable = call.field.iter().filter(|runner| !runner.ejected);
                    let others = reachable.map(|runner| tries.get(&runner.instance).copied().unwrap_or(0));
                    prop_assert!(kept || others.min().is_none_or(|least| mine <= least), "repeated before the others");
                    prop_assert!(reached < attempts_max, "sent too often");
                    *tries.entry(chosen).or_default() += 1;
                    call.schedule.handle_started(chosen);
                    let took = ms(millis).min(attempt - call.now);
                    call.now += took;
                    let status = Status::new(reason, executed, "");
                    let sent = Class::of(&status).was_sent();
                    reached += u32::from(sent);
                    unreached = executed == No && (unreached || !sent);
                    if executed != No {
                        may_have_run.push(chosen);
                    }
                    call.schedule.handle_failure(call.now, chosen, (&status).into(), &mut call.budget, random);
                    let any_ran = !may_have_run.is_empty();
                    prop_assert_eq!(call.schedule.executed() != No, any_ran, "what may have run is not forgotten");
                }
            }
            prop_assert!(call.now <= deadline);
        }
        prop_assert!(ended, "the call goes on for ever");
    }
}
