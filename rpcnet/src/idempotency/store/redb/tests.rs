//! What the disk adds to what every store has to do: restarts, files that cannot be used, a handler's own transaction.

mod disk;

use std::{path::PathBuf, sync::Arc};

use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition};
use uuid::Uuid;

use super::{RedbStore, StoreError};
use crate::{
    codec::Codec,
    context::{About, Context},
    idempotency::{
        Cache, CacheLimits, Keyed, Ticket,
        store::conformance::{
            REUSED, UNKNOWN, answer, call, everything, now, replay, run, what_went_elsewhere_is_refused,
        },
    },
};

/// A folder that is gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpcnet-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("the folder for temporary files");
        Self(path)
    }

    fn store(&self) -> Result<RedbStore, StoreError> {
        RedbStore::open(self.0.join("records.redb"), CacheLimits::default())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn over(store: &RedbStore) -> Arc<Cache> {
    Cache::new(CacheLimits::default(), Some(Arc::new(store.clone())), now())
}

#[tokio::test(start_paused = true)]
async fn redb_keeps_what_a_store_promises() {
    let folder = Folder::new();
    let open = |limits| {
        let store = RedbStore::open(folder.0.join(Uuid::new_v4().to_string()), limits);
        over(&store.expect("a new file"))
    };
    everything(&open).await;
    what_went_elsewhere_is_refused(&open).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_answers_are_replayed_and_what_ran_is_unknown() {
    let folder = Folder::new();
    let cache = over(&folder.store().expect("a new file"));
    run(&cache, &call(1, b"5")).await.finish(Ok(&answer(3))).await;
    killed(run(&cache, &call(2, b"5")).await);
    drop(cache);
    let cache = over(&folder.store().expect("the same file"));
    assert_eq!(replay(&cache, &call(1, b"5")).await, Ok(answer(3)));
    assert_eq!(replay(&cache, &call(1, b"6")).await, REUSED);
    assert_eq!(replay(&cache, &call(2, b"5")).await, UNKNOWN);
    drop(run(&cache, &call(3, b"5")).await);
}

/// As when the process dies: nobody tells the store.
fn killed(mut running: Ticket) {
    running.hold = None;
}

#[tokio::test]
async fn a_file_that_is_damaged_or_taken_is_not_opened_and_the_error_names_it() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    let taken = folder.store().expect_err("one process at a time");
    assert!(taken.to_string().contains("records.redb"), "{taken}");
    drop(store);
    std::fs::write(folder.0.join("records.redb"), vec![7; 10_000]).expect("its file");
    let damaged = folder.store().expect_err("not a database");
    assert!(matches!(damaged, StoreError::Open { .. }), "{damaged}");
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_can_be_read() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    run(&over(&store), &call(1, b"")).await.finish(Ok(&answer(3))).await;
    let stats = crate::store::Store::stats(&store).expect("it says");
    assert_eq!((stats.entries, stats.answer_bytes), (1, 4), "an answer and its kind");
}

const BALANCES: TableDefinition<'_, &str, u64> = TableDefinition::new("balances");

/// The context of the handler that runs with this ticket.
fn context(ticket: &Ticket) -> Context {
    let context = Context::new(About::default(), None);
    context.set_record(ticket.record_of(Codec::default()).expect("it is in a store"));
    context
}

fn balance(store: &RedbStore) -> Option<u64> {
    let transaction = store.database().begin_read().expect("a transaction");
    let balances = transaction.open_table(BALANCES).ok()?;
    balances.get("ann").expect("a row").map(|row| row.value())
}

/// What the handler does; whether it comes to commit it is for its caller to say.
fn pay(store: &RedbStore, context: &Context, commit: bool) -> Result<(), StoreError> {
    let transaction = store.database().begin_write().expect("a transaction");
    {
        let mut balances = transaction.open_table(BALANCES).expect("its table");
        let before = balances.get("ann").expect("a row").map_or(0, |row| row.value());
        balances.insert("ann", before + 5).expect("a row");
    }
    store.complete(context, &transaction, &5_u64)?;
    match commit {
        true => transaction.commit().expect("a commit"),
        false => drop(transaction),
    }
    Ok(())
}

fn answered() -> crate::client::caller::Answer {
    crate::client::caller::Answer::Ok(Codec::default().encode(&5_u64).expect("a number"))
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_committed_with_its_record_is_answered_after_the_process_died() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    let rerun = Keyed { reruns: true, ..call(1, b"") };
    let first = run(&over(&store), &rerun).await;
    pay(&store, &context(&first), false).expect("its own record");
    killed(first);
    drop(store);
    let store = folder.store().expect("the same file");
    assert_eq!(balance(&store), None, "neither of the two was written");
    let second = run(&over(&store), &rerun).await;
    assert!(second.runs_again());
    pay(&store, &context(&second), true).expect("its own record");
    killed(second);
    drop(store);
    let store = folder.store().expect("the same file");
    assert_eq!(balance(&store), Some(5), "both were");
    assert_eq!(replay(&over(&store), &rerun).await, Ok(answered()));
}

#[tokio::test(start_paused = true)]
async fn an_end_after_the_handlers_own_changes_nothing() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    let cache = over(&store);
    let ticket = run(&cache, &call(1, b"")).await;
    pay(&store, &context(&ticket), true).expect("its own record");
    ticket.finish(Ok(&answer(3))).await;
    assert_eq!(replay(&cache, &call(1, b"")).await, Ok(answered()), "the first word counts");
}

#[tokio::test(start_paused = true)]
async fn a_handler_writes_no_record_but_its_own() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    let transaction = store.database().begin_write().expect("a transaction");
    let stranger = Context::new(About::default(), None);
    let foreign = store.complete(&stranger, &transaction, &5_u64).expect_err("no record at all");
    assert!(matches!(foreign, StoreError::Foreign), "{foreign}");
    drop(transaction);
    let other = Folder::new();
    let ticket = run(&over(&other.store().expect("a new file")), &call(1, b"")).await;
    let foreign = pay(&store, &context(&ticket), true).expect_err("of another store");
    assert!(matches!(foreign, StoreError::Foreign), "{foreign}");
    assert_eq!(balance(&store), None);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_was_held_for_dead_can_commit_nothing() {
    let folder = Folder::new();
    let store = folder.store().expect("a new file");
    let rerun = Keyed { reruns: true, ..call(1, b"") };
    let first = run(&over(&store), &rerun).await;
    let late = context(&first);
    killed(first);
    // Another server of this process takes over what it does not run itself.
    let second = run(&over(&store), &rerun).await;
    let fenced = pay(&store, &late, true).expect_err("the later execution has the record");
    assert!(matches!(fenced, StoreError::Fenced), "{fenced}");
    assert_eq!(balance(&store), None);
    pay(&store, &context(&second), true).expect("its own record");
}
