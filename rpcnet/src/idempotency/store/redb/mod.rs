//! Records on disk, in a `redb` database: they survive the death of the process at any moment.

mod book;
mod bounds;
mod queue;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use redb::{Database, WriteTransaction};
use serde::Serialize;

use self::{
    book::Book,
    queue::{Queue, Work},
    tables::{Facts, Failed},
};
use super::{Claim, Claimed, Outcome, Pending, RecordId, Store, StoreError};
use crate::{
    client::caller::Answer,
    context::Context,
    idempotency::{KeyedStats, limits::CacheLimits, outcome::Kept},
};

/// Keeps the records of one server's keyed calls in a `redb` database.
///
/// A request is on disk as running before its handler is polled, and its answer before its caller is given it. When the process
/// dies, at whatever moment:
///
/// | the request | after the restart |
/// |---|---|
/// | was answered | a repeat gets the same answer |
/// | was running | `OutcomeUnknown`; with `#[rpc(on_unknown = "rerun")]` it runs again |
/// | had not come to run | it is new |
///
/// Its limits are those of [`CacheLimits`], with one difference: `window` counts the time in which the store was open, so that
/// neither a restart nor a clock that jumps makes a record older than it is.
///
/// **Costs**: two commits (`fsync`) for a new request; those that come together share theirs, up to 256. A repeat that was
/// answered is read and costs none. A record is some 300 bytes of the file beside its answer; the file grows by doubling.
///
/// **Errors**: a file that cannot be opened, is not a database or is damaged fails [`open`](Self::open). A disk that is full or broken
/// later fails the calls: new ones with [`Reason::RecordsUnavailable`](crate::Reason::RecordsUnavailable) before anything runs. What had run
/// is answered, and its repeats are told that its outcome is not known. The store stays like that until it is opened again: start
/// the process anew when there is room.
///
/// One process has the file at a time; a second one's `open` fails. Of two servers of one process that share a store, one tells
/// `OutcomeUnknown` of a request that runs in the other. Cheap to clone: clones are one store.
#[derive(Clone)]
pub struct RedbStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    limits: CacheLimits,
    secret: [u8; 16],
    /// What the store's clock said when it was opened: it stands still while the store is closed.
    clock: Duration,
    opened: Instant,
    queue: Queue,
    /// As of the last commit.
    facts: Mutex<Facts>,
}

impl RedbStore {
    /// Opens a database, and makes it if there is none. What was running when it was last open is unknown from here on. Blocks
    /// while it is read; after a crash, while it is repaired.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`], when the file cannot be read, is damaged or something else, or another process has it.
    pub fn open(path: impl AsRef<Path>, limits: CacheLimits) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let failed = |cause: &dyn fmt::Display| StoreError::Open {
            what: path.display().to_string(),
            cause: cause.to_string(),
        };
        let database = Database::create(path).map_err(|cause| failed(&cause))?;
        Self::with_database(Arc::new(database), limits).map_err(|cause| failed(&cause))
    }

    /// Keeps the records in a database that has other tables too: those of the handlers, see [`complete`](Self::complete). The
    /// tables here have names that begin with `rpcnet.`.
    ///
    /// # Errors
    ///
    /// When the tables cannot be read, or a later version wrote them.
    pub fn with_database(database: Arc<Database>, limits: CacheLimits) -> Result<Self, StoreError> {
        let facts = book::open(&database)?;
        let inner = Inner {
            database,
            limits,
            secret: facts.secret.to_le_bytes(),
            clock: Duration::from_millis(facts.clock),
            opened: tokio::time::Instant::now().into_std(),
            queue: Queue::default(),
            facts: Mutex::new(facts),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The database, for the tables of the handlers.
    pub fn database(&self) -> &Arc<Database> {
        &self.inner.database
    }

    /// Enters, in a handler's own transaction, that the call it serves was answered with `Ok(answer)`: what the handler
    /// changes there and the record of it become durable together, or not at all.
    ///
    /// The handler commits and then answers with the same. A handler that keeps all it changes in this database and is marked
    /// `#[rpc(on_unknown = "rerun")]` runs its work exactly once, whenever the process dies: either both are there and a
    /// repeat is answered, or neither and a repeat runs again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Foreign`] when the context is not that of a keyed call whose record is here, [`StoreError::Fenced`] when
    /// it is held for dead; otherwise when the database fails. The transaction is then to be dropped.
    pub fn complete<T: Serialize + ?Sized>(
        &self,
        context: &Context,
        transaction: &WriteTransaction,
        answer: &T,
    ) -> Result<(), StoreError> {
        let record = context.record().filter(|record| record.secret == self.inner.secret);
        let record = record.ok_or(StoreError::Foreign)?;
        let encoded = record.codec.encode(answer);
        let encoded = encoded.map_err(|error| StoreError::Unencodable(error.to_string()))?;
        let outcome = Outcome::Answered(Kept::new(&Answer::Ok(encoded)));
        let mut book = Book::open(transaction, self.inner.limits, self.inner.now())?;
        let ended = book.end(record.record.to_bits(), record.fence, &outcome)?;
        book.close()?;
        if ended { Ok(()) } else { Err(StoreError::Fenced) }
    }
}

impl Inner {
    /// The store's clock, in milliseconds.
    fn now(&self) -> u64 {
        let open = tokio::time::Instant::now().into_std().saturating_duration_since(self.opened);
        u64::try_from((self.clock + open).as_millis()).unwrap_or(u64::MAX)
    }

    /// Does some work in one transaction.
    fn commit(&self, work: &[Work]) -> Result<Vec<Result<Claimed, StoreError>>, Failed> {
        let transaction = self.database.begin_write()?;
        let mut book = Book::open(&transaction, self.limits, self.now())?;
        let mut done = Vec::with_capacity(work.len());
        for work in work {
            done.push(match work {
                Work::Claim(claim) => Ok(book.claim(claim)?),
                Work::End(record, fence, outcome) => match book.end(record.to_bits(), *fence, outcome)? {
                    true => Ok(Claimed::Completed),
                    false => Err(StoreError::Fenced),
                },
            });
        }
        let facts = book.close()?;
        transaction.commit()?;
        *self.facts.lock() = facts;
        Ok(done)
    }
}

impl Store for RedbStore {
    fn secret(&self) -> [u8; 16] {
        self.inner.secret
    }

    fn claim<'a>(&'a self, claim: &'a Claim) -> Pending<'a, Claimed> {
        Box::pin(async move {
            // Nothing is written for what has ended.
            match book::look_up(&self.inner.database, claim)? {
                Some(claimed) => Ok(claimed),
                None => queue::work(&self.inner, Work::Claim(claim.clone())).await,
            }
        })
    }

    fn stats(&self) -> Option<KeyedStats> {
        let (facts, now) = (*self.inner.facts.lock(), self.inner.now());
        let reach = Duration::from_millis(now.saturating_sub(facts.forgotten));
        Some(KeyedStats {
            entries: facts.entries as usize,
            answer_bytes: facts.bytes as usize,
            effective_window: reach.min(self.inner.limits.window),
        })
    }

    fn end<'a>(&'a self, record: RecordId, fence: u64, outcome: &'a Outcome) -> Pending<'a, ()> {
        let work = Work::End(record, fence, outcome.clone());
        Box::pin(async move { queue::work(&self.inner, work).await.map(drop) })
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}
