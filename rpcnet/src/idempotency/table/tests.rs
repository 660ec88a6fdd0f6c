//! Claims about the table: one for each event that may befall a request, and a reference it is held against.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::client::caller::Answer;

const WINDOW: Duration = Duration::from_secs(60);
const ANN: CallerId = CallerId(Some(1));
const BOB: CallerId = CallerId(Some(2));
const NOBODY: CallerId = CallerId(None);

fn limits(entries_max: usize, bytes_max: usize) -> CacheLimits {
    let (answer_bytes_max, caller_percent, when_full) = (60, 50, WhenFull::Strict);
    CacheLimits { window: WINDOW, entries_max, bytes_max, answer_bytes_max, caller_percent, when_full }
}

fn asked(n: u64) -> Asked {
    let (record, fingerprint) = (RecordId([n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n]), Fingerprint([5, 5]));
    Asked { record, caller: NOBODY, fingerprint, first_began: None, reruns: false }
}

fn by(caller: CallerId, n: u64) -> Asked {
    Asked { caller, ..asked(n) }
}

fn answered(bytes: usize) -> Outcome {
    Outcome::Answered(Kept::new(&Answer::Ok(vec![7; bytes].into())))
}

/// A table, and the time.
struct World {
    table: Table,
    now: Instant,
}

impl World {
    fn new(limits: CacheLimits) -> Self {
        let now = Instant::now();
        Self { table: Table::new(limits, now), now }
    }

    fn begin(&mut self, asked: &Asked) -> Found {
        self.table.begin(self.now, asked)
    }

    fn end(&mut self, n: u64, outcome: Outcome) {
        self.table.end(self.now, asked(n).record, outcome);
    }

    /// Begins and ends one.
    fn run(&mut self, asked: &Asked, outcome: Outcome) {
        assert_eq!(self.begin(asked), Found::New);
        self.table.end(self.now, asked.record, outcome);
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

#[test]
fn a_repeat_is_answered_until_the_window_has_passed() {
    let mut world = World::new(limits(3, 100));
    assert_eq!(world.begin(&asked(1)), Found::New);
    assert_eq!(world.begin(&asked(1)), Found::InFlight);
    world.end(1, answered(4));
    world.now += WINDOW - Duration::from_nanos(1);
    assert!(matches!(world.begin(&asked(1)), Found::Answered(kept) if kept.len() == 4));
    world.now += Duration::from_nanos(1);
    assert_eq!(world.begin(&asked(1)), Found::New);
}

#[test]
fn other_arguments_under_a_known_id_are_refused_in_every_state() {
    let other = Asked { fingerprint: Fingerprint([6, 6]), reruns: true, ..asked(1) };
    for outcome in [answered(4), answered(61), Outcome::Unknown] {
        let mut world = World::new(limits(3, 100));
        assert_eq!(world.begin(&asked(1)), Found::New);
        assert_eq!(world.begin(&other), Found::OtherArguments, "in flight");
        world.end(1, outcome);
        assert_eq!(world.begin(&other), Found::OtherArguments);
    }
}

#[test]
fn what_was_cut_short_does_not_run_again_and_what_never_ran_does() {
    let mut world = World::new(limits(3, 100));
    world.run(&asked(1), Outcome::Unknown);
    assert_eq!(world.begin(&asked(1)), Found::Unknown);
    world.run(&asked(2), Outcome::NothingRan);
    assert_eq!(world.begin(&asked(2)), Found::New);
    assert_eq!(world.table.len(), 2);
}

#[test]
fn what_may_rerun_is_told_that_it_does() {
    let mut world = World::new(limits(5, 100));
    let rerun = Asked { reruns: true, ..asked(1) };
    for n in [2, 1, 3] {
        world.run(&asked(n), Outcome::Unknown);
    }
    assert_eq!(world.begin(&rerun), Found::Again, "from the middle of the list");
    assert_eq!(world.begin(&rerun), Found::InFlight);
    world.end(1, answered(4));
    assert!(matches!(world.begin(&rerun), Found::Answered(_)));
    world.pass(60);
    assert_eq!(world.begin(&asked(9)), Found::New);
    assert_eq!((world.table.len(), world.table.bytes()), (1, 0), "the others are forgotten, each once");
}

#[test]
fn an_end_that_nobody_waits_for_changes_nothing() {
    let mut world = World::new(limits(3, 100));
    world.end(1, answered(4));
    world.run(&asked(1), answered(5));
    world.end(1, Outcome::NothingRan);
    assert!(matches!(world.begin(&asked(1)), Found::Answered(kept) if kept.len() == 5));
}

#[test]
fn an_answer_over_the_limit_of_one_is_a_tombstone_from_the_start() {
    let mut world = World::new(limits(3, 100));
    world.run(&asked(1), answered(61));
    world.run(&asked(2), answered(60));
    assert_eq!(world.begin(&asked(1)), Found::Completed);
    assert!(matches!(world.begin(&asked(2)), Found::Answered(_)));
}

#[test]
fn old_answers_shrink_before_any_request_is_forgotten() {
    let mut world = World::new(limits(10, 100));
    for n in 1..=4 {
        world.run(&asked(n), answered(40));
    }
    for (n, kept) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(matches!(world.begin(&asked(n)), Found::Answered(_)), kept, "{n}");
    }
    assert_eq!(world.begin(&asked(1)), Found::Completed);
    assert_eq!((world.table.len(), world.table.bytes()), (4, 80));
}

#[test]
fn one_callers_answers_make_room_for_its_own_and_not_by_others() {
    let mut world = World::new(limits(100, 100));
    world.run(&by(ANN, 1), answered(30));
    for n in 2..=9 {
        world.run(&by(BOB, n), answered(30));
    }
    assert!(matches!(world.begin(&by(ANN, 1)), Found::Answered(_)), "BOB's flood is BOB's loss");
    assert!(matches!(world.begin(&by(BOB, 9)), Found::Answered(_)));
    assert_eq!(world.begin(&by(BOB, 8)), Found::Completed, "half of the bytes are a caller's share");
}

#[test]
fn who_keeps_most_makes_room_first() {
    let mut world = World::new(limits(100, 100));
    for n in 1..=3 {
        world.run(&asked(n), answered(30));
    }
    world.run(&by(ANN, 4), answered(20));
    assert_eq!(world.begin(&asked(1)), Found::Completed);
    assert!(matches!(world.begin(&by(ANN, 4)), Found::Answered(_)));
}

#[test]
fn a_callers_flood_of_ids_leaves_room_for_others() {
    let mut world = World::new(limits(4, 100));
    for n in 1..=2 {
        world.run(&by(ANN, n), answered(1));
    }
    assert!(matches!(world.begin(&by(ANN, 3)), Found::Full { of_caller: true, .. }));
    assert_eq!(world.begin(&by(BOB, 4)), Found::New);
    assert!(matches!(world.begin(&by(ANN, 1)), Found::Answered(_)), "what is known is still answered");
}

#[test]
fn a_strict_table_that_is_full_says_when_there_is_room() {
    let mut world = World::new(limits(3, 100));
    for n in 1..=3 {
        world.run(&asked(n), answered(1));
    }
    world.pass(10);
    let Found::Full { retry_after, of_caller: false } = world.begin(&asked(4)) else { panic!("full") };
    assert_eq!(retry_after, Duration::from_secs(50));
    world.now += retry_after;
    assert_eq!(world.begin(&asked(4)), Found::New);
}

#[test]
fn a_best_effort_table_forgets_what_ended_first_and_says_how_far_back_it_reaches() {
    let mut world = World::new(CacheLimits { when_full: WhenFull::BestEffort, ..limits(3, 100) });
    world.begin(&asked(1));
    for n in 2..=3 {
        world.pass(10);
        world.run(&asked(n), answered(1));
    }
    world.pass(5);
    assert_eq!(world.begin(&asked(4)), Found::New, "2 made room: 1 runs");
    assert_eq!(world.table.effective_window(world.now), Duration::from_secs(15));
    let ago = |seconds| Some(world.now - Duration::from_secs(seconds));
    let (older, newer) =
        (Asked { first_began: ago(16), ..asked(2) }, Asked { first_began: ago(14), ..asked(9) });
    assert_eq!(world.begin(&older), Found::Forgotten, "it ran, and must not again");
    assert_eq!(world.begin(&asked(1)), Found::InFlight);
    assert_eq!(
        world.begin(&newer),
        Found::New,
        "3 made room: it began after all that was forgotten had ended"
    );
    assert!(matches!(world.begin(&asked(8)), Found::Full { .. }), "what runs is never forgotten");
}

#[test]
fn a_repeat_older_than_the_table_is_refused_unless_it_may_rerun() {
    let mut world = World::new(limits(3, 100));
    let before = Some(world.now - Duration::from_secs(1));
    world.pass(5);
    assert_eq!(world.begin(&Asked { first_began: before, ..asked(1) }), Found::Forgotten);
    assert_eq!(world.begin(&Asked { first_began: before, reruns: true, ..asked(2) }), Found::Again);
    let since = Some(world.now - Duration::from_secs(1));
    assert_eq!(world.begin(&Asked { first_began: since, ..asked(3) }), Found::New);
}

#[test]
fn a_repeat_of_what_the_window_has_ended_is_refused() {
    let mut world = World::new(limits(3, 100));
    world.pass(1);
    let began = Some(world.now);
    world.run(&asked(1), answered(4));
    world.pass(61);
    assert_eq!(world.begin(&Asked { first_began: began, ..asked(1) }), Found::Forgotten);
    assert_eq!(world.begin(&asked(1)), Found::New, "one that does not say that it is a repeat");
}

/// Two threads read the clock, and the one that read it first comes second.
#[test]
fn a_moment_before_the_last_one_forgets_nothing() {
    let mut world = World::new(limits(3, 100));
    world.pass(30);
    world.run(&asked(1), answered(4));
    world.now -= Duration::from_secs(31);
    assert!(matches!(world.begin(&asked(1)), Found::Answered(_)), "before the table itself, even");
    world.run(&asked(2), answered(4));
    world.pass(60);
    assert!(matches!(world.begin(&asked(1)), Found::Answered(_)));
}

/// What the table must answer, in ten lines: nothing is bounded, nothing is shared.
#[derive(Default)]
struct Reference {
    requests: BTreeMap<u64, (Fingerprint, Option<(Instant, Outcome)>)>,
}

impl Reference {
    fn expected(&mut self, now: Instant, n: u64, asked: &Asked) -> Found {
        self.requests.retain(|_, (_, ended)| ended.as_ref().is_none_or(|(at, _)| now < *at + WINDOW));
        match self.requests.get(&n) {
            None => Found::New,
            Some((fingerprint, _)) if *fingerprint != asked.fingerprint => Found::OtherArguments,
            Some((_, None)) => Found::InFlight,
            Some((_, Some((_, Outcome::Unknown)))) if asked.reruns => Found::Again,
            Some((_, Some((_, Outcome::Unknown)))) => Found::Unknown,
            Some((_, Some((_, Outcome::Answered(kept))))) if kept.len() <= 60 => {
                Found::Answered(kept.clone())
            }
            Some((_, Some(_))) => Found::Completed,
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Begin { n: u64, arguments: u64, caller: u64, reruns: bool },
    End { n: u64, outcome: u8 },
    Pass { seconds: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let begin = (0..12_u64, 0..20_u64, 0..3_u64, prop::bool::weighted(0.1)).prop_map(
        |(n, arguments, caller, reruns)| Step::Begin {
            n,
            arguments: u64::from(arguments == 0),
            caller,
            reruns,
        },
    );
    let end = (0..12_u64, 0..5_u8).prop_map(|(n, outcome)| Step::End { n, outcome });
    let pass = (0..25_u64).prop_map(|seconds| Step::Pass { seconds });
    prop::collection::vec(prop_oneof![4 => begin, 3 => end, 1 => pass], 1..150)
}

fn outcome(n: u8) -> Outcome {
    match n {
        0 => Outcome::NothingRan,
        1 => Outcome::Unknown,
        // Too large to be kept.
        2 => answered(61),
        3 => answered(3),
        _ => answered(50),
    }
}

/// Runs the steps; `bounded` tables may refuse and shrink, others answer what the reference does.
fn held_against_the_reference(
    limits: CacheLimits,
    steps: &[Step],
    bounded: bool,
) -> Result<(), TestCaseError> {
    let (mut world, mut reference) = (World::new(limits), Reference::default());
    for step in steps {
        match *step {
            Step::Begin { n, arguments, caller, reruns } => {
                let caller = CallerId((caller > 0).then_some(caller));
                let asked = Asked { caller, fingerprint: Fingerprint([arguments, 0]), reruns, ..asked(n) };
                let (found, expected) = (world.begin(&asked), reference.expected(world.now, n, &asked));
                match (&found, &expected) {
                    (Found::Full { .. }, Found::New) if bounded => {}
                    (Found::Completed, Found::Answered(_)) if bounded => {}
                    _ => prop_assert_eq!(&found, &expected),
                }
                if matches!(found, Found::New | Found::Again) {
                    reference.requests.insert(n, (asked.fingerprint, None));
                }
            }
            Step::End { n, outcome: kind } => {
                let outcome = outcome(kind);
                world.end(n, outcome.clone());
                if let Some((_, ended @ None)) = reference.requests.get_mut(&n) {
                    *ended = Some((world.now, outcome.clone()));
                    if outcome == Outcome::NothingRan {
                        reference.requests.remove(&n);
                    }
                }
            }
            Step::Pass { seconds } => world.pass(seconds),
        }
        prop_assert!(world.table.len() <= limits.entries_max && world.table.bytes() <= limits.bytes_max);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_table_with_room_answers_what_the_reference_does(steps in steps()) {
        held_against_the_reference(limits(100, 10_000), &steps, false)?;
    }

    #[test]
    fn a_full_table_refuses_or_shrinks_and_never_runs_a_request_twice(steps in steps()) {
        held_against_the_reference(limits(6, 120), &steps, true)?;
    }
}
