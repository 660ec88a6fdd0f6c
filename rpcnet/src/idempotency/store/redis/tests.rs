//! What Redis adds to what every store has to do: leases, fences, several servers, and being away.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use uuid::Uuid;

use redis::Script;

use super::{Inner, Lost, RedisSettings, RedisStore, WhenAway};
use crate::{
    idempotency::{
        Begin, Cache, CacheLimits, Keyed, Repeat, Ticket,
        store::{
            Claim, Claimed, Outcome, Store, StoreError,
            conformance::{UNKNOWN, answer, ask, call, everything, now, replay, run},
        },
    },
    status::{Executed, Reason},
};

/// A Redis of its own, on a socket of its own, gone when this is.
struct Redis {
    process: Child,
    folder: PathBuf,
}

impl Redis {
    /// `None`, and a word about it, where the server is not installed.
    fn start(options: &[&str]) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("rpcnet-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("the folder for temporary files");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(folder.join("socket")).args(options);
        let Ok(mut process) = command.stdout(Stdio::piped()).spawn() else {
            println!("skipped: there is no `redis-server` here");
            return None;
        };
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let ready = |line: &std::io::Result<String>| {
            line.as_ref().is_ok_and(|line| line.contains("ready to accept connections"))
        };
        assert!({ lines }.any(|line| ready(&line)), "it says when it is ready");
        Some(Self { process, folder })
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.join("socket").display())
    }

    /// A store whose time is the test's.
    async fn store(&self, settings: RedisSettings) -> RedisStore {
        let mut store = RedisStore::connect(&self.url(), settings).await.expect("it is there");
        let inner = Arc::get_mut(&mut store.inner).expect("nobody else has it yet");
        inner.began = Some(tokio::time::Instant::now());
        store
    }

    fn stop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// While it is there, time stands still although nothing but a socket is waited for.
fn time_stands_still() -> mpsc::Sender<()> {
    let (held, wait) = mpsc::channel();
    tokio::task::spawn_blocking(move || wait.recv().is_ok());
    held
}

fn over(store: &RedisStore) -> Arc<Cache> {
    Cache::new(CacheLimits::default(), Some(Arc::new(store.clone())), now())
}

/// As when the process dies: nobody tells the store.
fn killed(mut running: Ticket) {
    running.hold = None;
}

/// What a server would ask of the store for this call.
fn claim(cache: &Cache, call: &Keyed<'_>) -> Claim {
    cache.claim(now(), call)
}

async fn fence(store: &RedisStore, claim: &Claim) -> (u64, bool) {
    match store.claim(claim).await.expect("Redis is there") {
        Claimed::Run { fence, again } => (fence, again),
        other => panic!("not to be run: {other:?}"),
    }
}

fn repeat(age: Duration) -> Keyed<'static> {
    let repeat = Repeat { first_began: now() - age, elsewhere: true, beyond: false };
    Keyed { repeat: Some(repeat), ..call(1, b"") }
}

const LEASE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn redis_keeps_what_a_store_promises() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let store = redis.store(RedisSettings::default()).await;
    let open = |limits| {
        let prefix = Uuid::new_v4().to_string();
        let inner = Inner {
            connection: store.inner.connection.clone(),
            script: Script::new(include_str!("records.lua")),
            settings: RedisSettings { limits, prefix, ..RedisSettings::default() },
            secret: store.inner.secret,
            lost: Lost::default(),
            began: store.inner.began,
        };
        over(&RedisStore { inner: Arc::new(inner) })
    };
    everything(&open).await;
}

/// Comes back when Redis has done what was asked of it before.
async fn ends_after_a_claim(store: &RedisStore) {
    for _ in 0..10 {
        store.inner.invoke("open", None, &[]).await.expect("Redis is there");
    }
}

#[tokio::test]
async fn a_request_that_runs_at_one_server_is_waited_for_at_another() {
    let Some(redis) = Redis::start(&[]) else { return };
    let one = redis.store(RedisSettings::default()).await;
    let other = RedisStore::connect(&redis.url(), RedisSettings::default()).await.expect("it is there");
    assert_eq!(one.secret(), other.secret(), "the second takes that of the first");
    let ticket = run(&over(&one), &call(1, b"")).await;
    let other = over(&other);
    let Begin::Ask(asked) = other.begin(now(), &call(1, b"")) else { panic!("it does not run here") };
    let mut waiting = std::pin::pin!(asked.ask());
    tokio::select! {
        // A renewal of the one comes after a claim of the other.
        biased;
        begin = &mut waiting => panic!("it runs elsewhere: {begin:?}"),
        () = ends_after_a_claim(&one) => {}
    }
    ticket.finish(Ok(&answer(3))).await;
    assert!(matches!(waiting.await, Begin::Replay(Ok(replayed)) if replayed == answer(3)));
}

#[tokio::test(start_paused = true)]
async fn when_its_lease_has_ended_a_request_is_unknown_and_may_run_again_under_a_greater_fence() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let store = redis.store(RedisSettings::default()).await;
    let (one, other) = (over(&store), over(&store));
    let first = claim(&one, &call(1, b""));
    let (before, _) = fence(&store, &first).await;
    tokio::time::advance(LEASE - Duration::from_millis(1)).await;
    let waits = store.claim(&first).await.expect("Redis is there");
    assert_eq!(waits, Claimed::InFlight { retry_after: Duration::from_millis(1) });
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(replay(&other, &call(1, b"")).await, UNKNOWN);
    let (after, again) = fence(&store, &Claim { reruns: true, ..first.clone() }).await;
    assert!(again && after > before, "{before} {after}");
    let late = store.end(first.record, before, &Outcome::Unknown).await.expect_err("it is another's now");
    assert!(matches!(late, StoreError::Fenced), "{late}");
    let late = store.renew(first.record, before).await.expect_err("it is another's now");
    assert!(matches!(late, StoreError::Fenced), "{late}");
    store.renew(first.record, after).await.expect("it is its own");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_held_for_dead_may_still_enter_its_answer() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let store = redis.store(RedisSettings::default()).await;
    let (one, other) = (over(&store), over(&store));
    let ticket = run(&one, &call(1, b"")).await;
    tokio::time::advance(LEASE).await;
    assert_eq!(replay(&other, &call(1, b"")).await, UNKNOWN);
    ticket.finish(Ok(&answer(3))).await;
    assert_eq!(replay(&other, &call(1, b"")).await, Ok(answer(3)));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_renewed_is_never_held_for_dead() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let store = redis.store(RedisSettings::default()).await;
    let first = claim(&over(&store), &call(1, b""));
    let (fence, _) = fence(&store, &first).await;
    for _ in 0..5 {
        tokio::time::advance(LEASE / 2).await;
        store.renew(first.record, fence).await.expect("it is its own");
        let other = store.claim(&Claim { reruns: true, ..first.clone() }).await.expect("Redis is there");
        assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_taken_up_by_the_next_of_its_server() {
    let Some(redis) = Redis::start(&[]) else { return };
    let store = redis.store(RedisSettings::default()).await;
    let first = claim(&over(&store), &call(1, b""));
    store.inner.lost.note(first.record, "lost".to_owned());
    let before = fence(&store, &first).await;
    let waits = store.claim(&first).await.expect("Redis is there");
    assert!(matches!(waits, Claimed::InFlight { .. }), "any other waits: {waits:?}");
    store.inner.lost.note(first.record, "lost".to_owned());
    assert_eq!(fence(&store, &first).await, before);
}

#[tokio::test]
async fn with_redis_away_nothing_runs_unless_it_is_to_be_best_effort() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let strict = redis.store(RedisSettings::default()).await;
    let loose = RedisSettings { when_away: WhenAway::BestEffort, ..RedisSettings::default() };
    let loose = redis.store(loose).await;
    redis.stop();
    let away = replay(&over(&strict), &call(1, b"")).await;
    assert_eq!(away, Err((Reason::RecordsUnavailable, Executed::No)));
    let cache = over(&loose);
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(1))).await;
    let forgotten = Err((Reason::DedupHorizonLost, Executed::Unknown));
    assert_eq!(replay(&cache, &repeat(Duration::from_secs(1))).await, forgotten);
    let gone = RedisStore::connect(&redis.url(), RedisSettings::default()).await.expect_err("it is away");
    assert!(gone.to_string().contains("socket"), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn of_a_redis_that_was_emptied_repeats_are_refused_and_strangers_do_not_share() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let store = redis.store(RedisSettings::default()).await;
    let cache = over(&store);
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(1))).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    let mut connection = store.inner.connection.clone();
    let _: () = ::redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("Redis is there");
    let forgotten = Err((Reason::DedupHorizonLost, Executed::Unknown));
    assert_eq!(replay(&cache, &repeat(Duration::from_secs(5))).await, forgotten);
    tokio::time::advance(Duration::from_secs(5)).await;
    killed(run(&cache, &repeat(Duration::from_secs(1))).await);
    let _: () = ::redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("Redis is there");
    let other = redis.store(RedisSettings::default()).await;
    drop(run(&over(&other), &call(2, b"")).await);
    let away = replay(&cache, &call(3, b"")).await;
    assert_eq!(away, Err((Reason::RecordsUnavailable, Executed::No)), "it would name records otherwise");
}

#[tokio::test]
async fn a_redis_that_may_evict_records_is_refused() {
    let evicting = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(redis) = Redis::start(&evicting) else { return };
    let refused = RedisStore::connect(&redis.url(), RedisSettings::default()).await.expect_err("it evicts");
    assert!(refused.to_string().contains("allkeys-lru"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_older_than_any_clock_is_not_taken_for_a_young_one() {
    let Some(redis) = Redis::start(&[]) else { return };
    let _still = time_stands_still();
    let cache = over(&redis.store(RedisSettings::default()).await);
    drop(run(&cache, &call(7, b"")).await);
    let ancient = Repeat { first_began: now(), elsewhere: true, beyond: true };
    let forgotten = Err((Reason::DedupHorizonLost, Executed::Unknown));
    assert_eq!(replay(&cache, &Keyed { repeat: Some(ancient), ..call(1, b"") }).await, forgotten);
    // That it may have gone elsewhere says nothing where records are shared.
    drop(ask(&cache, &repeat(Duration::ZERO)).await);
}
