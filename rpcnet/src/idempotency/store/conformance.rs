//! What every store has to do, run on each.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    client::caller::Answer,
    codec::Codec,
    descriptor::MethodId,
    idempotency::{Begin, Cache, CacheLimits, Key, Keyed, Repeat, Ticket, WhenFull},
    status::{Executed, Reason, Status},
    transport::Identity,
};

/// A server's cache over one store.
pub(super) type Open<'a> = &'a dyn Fn(CacheLimits) -> Arc<Cache>;

pub(super) fn call(id: u128, arguments: &[u8]) -> Keyed<'_> {
    let key = Key { caller: None, method: MethodId::of("Bank/pay"), request_id: Uuid::from_u128(id) };
    Keyed { key, codec: Codec::default(), arguments, repeat: None, reruns: false }
}

pub(super) fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

pub(super) async fn ask(cache: &Arc<Cache>, call: &Keyed<'_>) -> Begin {
    match cache.begin(now(), call) {
        Begin::Ask(claiming) => claiming.ask().await,
        begin => begin,
    }
}

pub(super) async fn run(cache: &Arc<Cache>, call: &Keyed<'_>) -> Ticket {
    match ask(cache, call).await {
        Begin::Run(ticket) => ticket,
        other => panic!("not to be run: {other:?}"),
    }
}

pub(super) async fn replay(cache: &Arc<Cache>, call: &Keyed<'_>) -> Result<Answer, (Reason, Executed)> {
    match ask(cache, call).await {
        Begin::Replay(result) => result.map_err(|status| (status.reason(), status.executed())),
        Begin::Refuse(status) => Err((status.reason(), status.executed())),
        other => panic!("not to be answered: {other:?}"),
    }
}

pub(super) fn answer(bytes: usize) -> Answer {
    Answer::Ok(Bytes::from(vec![7; bytes]))
}

/// What was spawned has been asked of the store, before what is asked next.
async fn told() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

pub(super) const UNKNOWN: Result<Answer, (Reason, Executed)> =
    Err((Reason::OutcomeUnknown, Executed::Unknown));
pub(super) const REUSED: Result<Answer, (Reason, Executed)> = Err((Reason::RequestIdReused, Executed::No));

async fn a_request_runs_once_and_is_replayed(open: Open<'_>) {
    let cache = open(CacheLimits::default());
    let ticket = run(&cache, &call(1, b"5")).await;
    let Begin::Attach(attached) = ask(&cache, &call(1, b"5")).await else { panic!("it runs") };
    assert_eq!(replay(&cache, &call(1, b"6")).await, REUSED, "while it runs");
    ticket.finish(Ok(&answer(3))).await;
    assert_eq!(attached.await.expect("it ended").expect("and was answered"), answer(3));
    assert_eq!(replay(&cache, &call(1, b"5")).await, Ok(answer(3)));
    assert_eq!(replay(&cache, &call(1, b"6")).await, REUSED, "when it has ended");
    drop(run(&cache, &call(2, b"5")).await);
}

async fn what_was_cut_short_is_unknown_and_what_did_not_run_is_new(open: Open<'_>) {
    let cache = open(CacheLimits::default());
    let panicked = Status::new(Reason::Panicked, Executed::Yes, "");
    run(&cache, &call(1, b"")).await.finish(Err(&panicked)).await;
    assert_eq!(replay(&cache, &call(1, b"")).await, UNKNOWN);
    drop(run(&cache, &call(2, b"")).await);
    told().await;
    assert_eq!(replay(&cache, &call(2, b"")).await, UNKNOWN, "dropped without a word");
    let shed = Status::new(Reason::Overloaded, Executed::No, "");
    run(&cache, &call(3, b"")).await.finish(Err(&shed)).await;
    assert!(!run(&cache, &call(3, b"")).await.runs_again());
    let rerun = Keyed { reruns: true, ..call(1, b"") };
    let ticket = run(&cache, &rerun).await;
    assert!(ticket.runs_again());
    ticket.finish(Ok(&answer(1))).await;
    assert_eq!(replay(&cache, &call(1, b"")).await, Ok(answer(1)));
}

async fn sizes_are_bounded(open: Open<'_>) {
    let mut limits = CacheLimits::default();
    (limits.entries_max, limits.bytes_max, limits.answer_bytes_max) = (3, 100, 60);
    let cache = open(limits);
    let completed = Err((Reason::AlreadyCompleted, Executed::Yes));
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(70))).await;
    assert_eq!(replay(&cache, &call(1, b"")).await, completed, "one that is too large");
    run(&cache, &call(2, b"")).await.finish(Ok(&answer(50))).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    run(&cache, &call(3, b"")).await.finish(Ok(&answer(55))).await;
    assert_eq!(replay(&cache, &call(2, b"")).await, completed, "the oldest made room");
    assert_eq!(replay(&cache, &call(3, b"")).await, Ok(answer(55)));
    let full = Err((Reason::Overloaded, Executed::No));
    assert_eq!(replay(&cache, &call(4, b"")).await, full);
    limits.entries_max = 8;
    let ann = Identity::new("ann");
    let shared = open(limits);
    let of_ann = |id| Keyed { key: Key { caller: Some(&ann), ..call(id, b"").key }, ..call(id, b"") };
    for id in 10..12 {
        run(&shared, &of_ann(id)).await.finish(Ok(&answer(1))).await;
    }
    assert_eq!(replay(&shared, &of_ann(12)).await, full, "a quarter of eight");
    run(&shared, &call(12, b"")).await.finish(Ok(&answer(1))).await;
}

async fn the_window_ends_and_a_repeat_from_before_is_refused(open: Open<'_>) {
    let limits = CacheLimits { window: Duration::from_secs(10), ..CacheLimits::default() };
    let cache = open(limits);
    tokio::time::advance(Duration::from_secs(5)).await;
    let began = now();
    tokio::time::advance(Duration::from_secs(1)).await;
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(1))).await;
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(replay(&cache, &call(1, b"")).await, Ok(answer(1)));
    tokio::time::advance(Duration::from_secs(2)).await;
    // Whatever comes next makes it forget.
    drop(run(&cache, &call(2, b"")).await);
    let forgotten = Err((Reason::DedupHorizonLost, Executed::Unknown));
    let repeat = Some(Repeat { first_began: began, elsewhere: false, beyond: false });
    assert_eq!(replay(&cache, &Keyed { repeat, ..call(1, b"") }).await, forgotten);
    let repeat = Some(Repeat { first_began: now(), elsewhere: false, beyond: false });
    drop(run(&cache, &Keyed { repeat, ..call(3, b"") }).await);
}

async fn a_full_share_in_best_effort_costs_its_caller_its_own_oldest(open: Open<'_>) {
    let limits = CacheLimits { entries_max: 8, when_full: WhenFull::BestEffort, ..CacheLimits::default() };
    let cache = open(limits);
    let ann = Identity::new("ann");
    let of_ann = |id| Keyed { key: Key { caller: Some(&ann), ..call(id, b"").key }, ..call(id, b"") };
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(1))).await;
    for id in 10..13 {
        tokio::time::advance(Duration::from_secs(1)).await;
        run(&cache, &of_ann(id)).await.finish(Ok(&answer(1))).await;
    }
    assert_eq!(replay(&cache, &call(1, b"")).await, Ok(answer(1)), "older than all of hers, and not hers");
    assert_eq!(replay(&cache, &of_ann(11)).await, Ok(answer(1)));
    drop(run(&cache, &of_ann(10)).await);
}

async fn answers_make_room_at_whoever_keeps_most(open: Open<'_>) {
    let limits =
        CacheLimits { bytes_max: 100, answer_bytes_max: 60, caller_percent: 50, ..CacheLimits::default() };
    let cache = open(limits);
    let ann = Identity::new("ann");
    let of_ann = |id| Keyed { key: Key { caller: Some(&ann), ..call(id, b"").key }, ..call(id, b"") };
    run(&cache, &of_ann(1)).await.finish(Ok(&answer(20))).await;
    for id in 2..5 {
        tokio::time::advance(Duration::from_secs(1)).await;
        run(&cache, &call(id, b"")).await.finish(Ok(&answer(30))).await;
    }
    let completed = Err((Reason::AlreadyCompleted, Executed::Yes));
    assert_eq!(replay(&cache, &of_ann(1)).await, Ok(answer(20)), "the oldest, and the least");
    assert_eq!(replay(&cache, &call(2, b"")).await, completed);
    assert_eq!(replay(&cache, &call(4, b"")).await, Ok(answer(30)));
}

/// Of stores that others do not share.
pub(super) async fn what_went_elsewhere_is_refused(open: Open<'_>) {
    let cache = open(CacheLimits::default());
    let forgotten = Err((Reason::DedupHorizonLost, Executed::Unknown));
    let repeat = Some(Repeat { first_began: now(), elsewhere: true, beyond: false });
    assert_eq!(replay(&cache, &Keyed { repeat, ..call(3, b"") }).await, forgotten);
}

/// All of the above that every store does.
pub(super) async fn everything(open: Open<'_>) {
    a_request_runs_once_and_is_replayed(open).await;
    what_was_cut_short_is_unknown_and_what_did_not_run_is_new(open).await;
    sizes_are_bounded(open).await;
    a_full_share_in_best_effort_costs_its_caller_its_own_oldest(open).await;
    answers_make_room_at_whoever_keeps_most(open).await;
    the_window_ends_and_a_repeat_from_before_is_refused(open).await;
}

mod memory {
    use super::*;

    fn open(limits: CacheLimits) -> Arc<Cache> {
        Cache::new(limits, None, now())
    }

    #[tokio::test(start_paused = true)]
    async fn memory_keeps_what_a_store_promises() {
        everything(&open).await;
        what_went_elsewhere_is_refused(&open).await;
    }
}
