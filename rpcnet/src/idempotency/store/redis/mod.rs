//! Records in Redis: several servers share them, and any of them may go on where another stopped.

mod claims;
mod settings;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use redis::{
    Client, IntoConnectionInfo, Script, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use uuid::Uuid;

use self::claims::Lost;
pub use self::settings::{RedisSettings, WhenAway};
use super::{Claim, Claimed, Outcome, Pending, RecordId, Store, StoreError};
use crate::idempotency::outcome::Kept;

/// Keeps the records of the keyed calls of several servers in a Redis.
///
/// All that a claim looks at and changes happens in one run of a script, so that of servers that ask at the same time one runs
/// the request. It holds the record by a *lease*, which it renews while the handler runs; others wait for the answer. When
/// the lease ends, since its process is gone or stalled, the request is held for cut short: `OutcomeUnknown`, or with
/// `#[rpc(on_unknown = "rerun")]` it runs again, under a greater [fence](Claimed::Run::fence). A process that comes back then
/// may still enter its answer, unless the request has begun again.
///
/// **What it cannot promise.** A lease keeps a second execution from being *begun*; nobody stops the first one from going on.
/// That matters to methods that rerun alone: theirs may then run at the same time. And a Redis may forget:
///
/// | what happens to the Redis | what becomes of the promise |
/// |---|---|
/// | it is away | nothing runs, see [`WhenAway`] |
/// | it is emptied, or starts anew without its data | repeats that began before are refused: `DedupHorizonLost` |
/// | it crashes and comes back without its last writes (`appendfsync everysec`: about a second of them) | a request of that second may run twice: use `appendfsync always` |
/// | a replica takes over that had not got the last writes, which Redis copies *after* answering | a request of those may run twice, and nobody can see it. `min-replicas-to-write` makes it less, not never |
/// | its clock is set back | leases and records last longer by as much |
/// | its clock jumps ahead by more than `window` | records are forgotten too early, and a repeat may run again |
/// | it may evict (`maxmemory` with a policy other than `noeviction`) | [`connect`](Self::connect) refuses it |
///
/// Where that is not enough, the handler's own data has to know the id ([`RedbStore::complete`] shows the idea), or take the
/// fence along.
///
/// **Costs**: two round trips for a new request, one for a repeat, and one for each third of a lease that it runs. A record is
/// some 600 bytes of Redis' memory beside its answer.
///
/// Needs Redis 5 or later. A record's keys are not known before the script runs: in a Redis Cluster the `prefix` has to be in
/// braces. Cheap to clone: clones are one store.
#[cfg_attr(not(feature = "redb"), doc = "")]
#[cfg_attr(not(feature = "redb"), doc = "[`RedbStore::complete`]: crate::store")]
#[cfg_attr(feature = "redb", doc = "")]
#[cfg_attr(feature = "redb", doc = "[`RedbStore::complete`]: super::RedbStore::complete")]
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    connection: ConnectionManager,
    script: Script,
    settings: RedisSettings,
    secret: u128,
    lost: Lost,
    /// In place of Redis' clock, which no test can wind forward.
    #[cfg(test)]
    began: Option<tokio::time::Instant>,
}

impl RedisStore {
    /// Connects to a Redis: `redis://user:password@host:6379/0`, or `redis+unix:///run/redis.sock` for a Unix socket. A connection
    /// that breaks later is opened again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`], when it cannot be reached or does not let us in, or might evict records on its own.
    pub async fn connect(url: &str, settings: RedisSettings) -> Result<Self, StoreError> {
        let inner = Inner::connect(url, settings).await.map_err(|cause| StoreError::Open {
            // A URL may have a password in it.
            what: url.rsplit('@').next().unwrap_or_default().to_owned(),
            cause,
        })?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    async fn connect(url: &str, settings: RedisSettings) -> Result<Self, String> {
        let told = |error: redis::RedisError| error.to_string();
        let client = Client::open(url.into_connection_info().map_err(told)?).map_err(told)?;
        let mut connection =
            ConnectionManager::new_with_config(client, manager(&settings)).await.map_err(told)?;
        keeps_all(&mut connection).await?;
        let mut inner = Self {
            connection,
            script: Script::new(include_str!("records.lua")),
            settings,
            secret: 0,
            lost: Lost::default(),
            #[cfg(test)]
            began: None,
        };
        // The first of all who share the records draws their secret; it is that of the others from then on.
        inner.secret = Uuid::new_v4().as_u128() ^ Uuid::new_v4().as_u128().rotate_left(64);
        let reply = inner.invoke("open", None, &[]).await.map_err(|error| error.to_string())?;
        let secret = text(&reply, 1).and_then(|secret| u128::from_str_radix(secret, 16).ok());
        inner.secret = secret.ok_or("what is there under this prefix was written by something else")?;
        Ok(inner)
    }

    /// Runs the script. Once more if the connection was gone: each of its operations may be done twice.
    async fn invoke(
        &self,
        operation: &str,
        record: Option<RecordId>,
        arguments: &[&[u8]],
    ) -> Result<Vec<Value>, StoreError> {
        let limits = &self.settings.limits;
        let record = record.map(|record| format!("{:032x}", record.to_bits())).unwrap_or_default();
        // Who opens does not know the secret yet, and offers one.
        let secret = format!("{:032x}", self.secret);
        let mut script = self.script.key(&self.settings.prefix);
        script.arg(operation).arg(secret).arg(self.now());
        script.arg(millis(limits.window)).arg(millis(self.settings.lease));
        script.arg(limits.entries_max).arg(limits.share(limits.entries_max, true));
        script.arg(limits.bytes_max).arg(limits.share(limits.bytes_max, true));
        script
            .arg(limits.answer_bytes_max)
            .arg(u8::from(limits.when_full == super::super::WhenFull::BestEffort));
        script.arg(record);
        for argument in arguments {
            script.arg(*argument);
        }
        let mut connection = self.connection.clone();
        let reply = match script.invoke_async(&mut connection).await {
            Err(error) if error.is_connection_dropped() => script.invoke_async(&mut connection).await,
            reply => reply,
        };
        let reply: Vec<Value> = reply.map_err(StoreError::unavailable)?;
        match text(&reply, 0) {
            Some("begun anew") => {
                Err(unlike("the records in Redis were lost, and others have begun anew: start again"))
            }
            _ => Ok(reply),
        }
    }

    /// Nothing: Redis looks at its own clock.
    #[cfg(not(test))]
    fn now(&self) -> String {
        String::new()
    }

    #[cfg(test)]
    fn now(&self) -> String {
        // Later than any moment at which a test runs: what was opened by Redis' clock stays before it.
        const LATER: u128 = 4_000_000_000_000;
        self.began.map(|began| (LATER + began.elapsed().as_millis()).to_string()).unwrap_or_default()
    }

    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let token = self.lost.token(claim.record);
        let fingerprint = format!("{:032x}", claim.fingerprint.to_bits());
        let caller = claim.caller.to_bits().map_or(0, |caller| caller.max(1)).to_string();
        let age = claim.age.map(|age| millis(age).to_string()).unwrap_or_default();
        let reruns: &[u8] = if claim.reruns { b"1" } else { b"0" };
        let arguments: [&[u8]; 5] =
            [caller.as_bytes(), fingerprint.as_bytes(), age.as_bytes(), reruns, token.as_bytes()];
        match self.invoke("claim", Some(claim.record), &arguments).await {
            Ok(reply) => claimed(&reply),
            Err(error) => {
                let instead = self.settings.when_away.instead(claim, error);
                if !matches!(instead, Ok(Claimed::Run { .. })) {
                    // It may have been entered, as running, by one who will not run it.
                    self.lost.note(claim.record, token);
                }
                instead
            }
        }
    }

    async fn end(&self, record: RecordId, fence: u64, outcome: &Outcome) -> Result<(), StoreError> {
        if fence == WhenAway::FENCE {
            return Ok(());
        }
        let (how, answer): (&[u8], _) = match outcome {
            Outcome::Answered(kept) => (b"answered", kept.to_bytes()),
            Outcome::Unknown => (b"unknown", Vec::new()),
            Outcome::NothingRan => (b"nothing", Vec::new()),
        };
        let reply = self.invoke("end", Some(record), &[fence.to_string().as_bytes(), how, &answer]).await?;
        not_fenced(&reply)
    }

    async fn renew(&self, record: RecordId, fence: u64) -> Result<(), StoreError> {
        if fence == WhenAway::FENCE {
            return Ok(());
        }
        let reply = self.invoke("renew", Some(record), &[fence.to_string().as_bytes()]).await?;
        not_fenced(&reply)
    }
}

fn manager(settings: &RedisSettings) -> ConnectionManagerConfig {
    /// A call waits for this, and has somebody to tell.
    const RETRIES: usize = 1;
    ConnectionManagerConfig::new()
        .set_number_of_retries(RETRIES)
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(200))
        .set_connection_timeout(Some(settings.timeout))
        .set_response_timeout(Some(settings.timeout))
}

/// A Redis that evicts records when its memory is full would forget in silence.
async fn keeps_all(connection: &mut ConnectionManager) -> Result<(), String> {
    let info: Result<String, _> = redis::cmd("INFO").arg("memory").query_async(connection).await;
    let info = info.map_err(|error| error.to_string())?;
    let line = |name: &str| info.lines().find_map(|line| line.trim().strip_prefix(name));
    match (line("maxmemory:"), line("maxmemory_policy:")) {
        (Some("0"), _) | (_, Some("noeviction")) => Ok(()),
        (_, policy) => Err(format!(
            "it may evict records: its `maxmemory-policy` is {}, and has to be noeviction",
            policy.unwrap_or("not known")
        )),
    }
}

/// What the script says of a claim.
fn claimed(reply: &[Value]) -> Result<Claimed, StoreError> {
    /// How often those who wait for another process ask at least.
    const ASKED_EVERY: Duration = Duration::from_millis(100);
    let number =
        |at| text(reply, at).and_then(|text| text.parse::<u64>().ok()).ok_or(StoreError::UnknownForm);
    Ok(match text(reply, 0).ok_or(StoreError::UnknownForm)? {
        "run" => Claimed::Run { fence: number(1)?, again: text(reply, 2) == Some("1") },
        "running" => {
            let left = Duration::from_millis(number(1)?.max(1));
            Claimed::InFlight { retry_after: left.min(ASKED_EVERY) }
        }
        "answered" => {
            let Some(Value::BulkString(bytes)) = reply.get(1) else { return Err(StoreError::UnknownForm) };
            Claimed::Answered(Kept::from_bytes(bytes).ok_or(StoreError::UnknownForm)?)
        }
        "completed" => Claimed::Completed,
        "unknown" => Claimed::Unknown,
        "other" => Claimed::OtherArguments,
        "forgotten" => Claimed::Forgotten,
        "full" => Claimed::Full {
            retry_after: Duration::from_millis(number(1)?),
            of_caller: text(reply, 2) == Some("1"),
        },
        _ => return Err(StoreError::UnknownForm),
    })
}

fn not_fenced(reply: &[Value]) -> Result<(), StoreError> {
    match text(reply, 0) {
        Some("ended" | "renewed") => Ok(()),
        Some("fenced") => Err(StoreError::Fenced),
        _ => Err(StoreError::UnknownForm),
    }
}

fn text(reply: &[Value], at: usize) -> Option<&str> {
    match reply.get(at)? {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn unlike(what: &'static str) -> StoreError {
    StoreError::unavailable(std::io::Error::other(what))
}

/// At most some thousands of years, which a script's numbers hold to the millisecond.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(1 << 47)
}

impl Store for RedisStore {
    fn secret(&self) -> [u8; 16] {
        self.inner.secret.to_le_bytes()
    }

    fn claim<'a>(&'a self, claim: &'a Claim) -> Pending<'a, Claimed> {
        Box::pin(self.inner.claim(claim))
    }

    fn end<'a>(&'a self, record: RecordId, fence: u64, outcome: &'a Outcome) -> Pending<'a, ()> {
        Box::pin(self.inner.end(record, fence, outcome))
    }

    fn renew(&self, record: RecordId, fence: u64) -> Pending<'_, ()> {
        Box::pin(self.inner.renew(record, fence))
    }

    /// Two renewals may be lost before the lease ends.
    fn renew_every(&self) -> Option<Duration> {
        Some(self.inner.settings.lease / 3)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}
