//! Where the records of keyed calls are kept: in memory, on disk, or at a place that several servers share.
//!
//! | store | survives | other servers see it | what a new request costs |
//! |---|---|---|---|
//! | memory, the default | nothing | no | a look-up in a table |
#![cfg_attr(
    feature = "redb",
    doc = "| [`RedbStore`] (feature `redb`) | the process's death at any moment | no | two commits to disk, shared by all that come together |"
)]
#![cfg_attr(
    feature = "redis",
    doc = "| [`RedisStore`] (feature `redis`) | the servers' deaths, and what Redis itself survives | yes | two round trips |"
)]
//!
//! [`ServerBuilder::store`](crate::ServerBuilder::store) takes one. What the answers mean is the same in all; a server holds
//! those who wait for a request that runs in it, so that a store is asked once for each request that is not running here.

#[cfg(test)]
mod conformance;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redis")]
mod redis;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
#[cfg(feature = "redis")]
pub use self::redis::{RedisSettings, RedisStore, WhenAway};
use super::KeyedStats;
pub use super::{
    key::{CallerId, Fingerprint, RecordId},
    outcome::{Kept, Outcome},
};

/// What a store answers, when it does.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps the records of keyed calls.
///
/// An implementation promises:
///
/// - [`claim`](Self::claim) looks a request up and enters a new one in *one* step: of two that ask for one record at the same
///   time, one is told to run it. When it says [`Claimed::Run`], that is written where it survives what the store
///   survives: the handler runs next, and a record that is lost then is a request that runs twice;
/// - a request that was told to run and of which no end is known is never told to run again, unless
///   [`Claim::reruns`] allows it;
/// - what has ended is remembered for its window. A store that had to forget earlier says [`Claimed::Forgotten`] to a repeat that
///   is old enough to have been forgotten.
///
/// Dropping a future may leave what it was about done or not done.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The key of the hashes by which requests are named, 128 random bits: the same for all who share records, and as secret
    /// as those are.
    fn secret(&self) -> [u8; 16];

    /// Looks a request up, and enters a new one as running.
    ///
    /// # Errors
    ///
    /// When it cannot be known whether the request is new: then it is refused, and nothing runs.
    fn claim<'a>(&'a self, claim: &'a Claim) -> Pending<'a, Claimed>;

    /// Enters how a request ended that was claimed with this fence.
    ///
    /// # Errors
    ///
    /// When it could not be entered. Its callers are given their answer all the same, and repeats are told that the outcome is
    /// not known.
    fn end<'a>(&'a self, record: RecordId, fence: u64, outcome: &'a Outcome) -> Pending<'a, ()>;

    /// What is remembered, for [`Server::keyed`](crate::Server::keyed). Nothing by default: a store that others share is
    /// better asked itself.
    fn stats(&self) -> Option<KeyedStats> {
        None
    }

    /// Says that a request still runs, as often as [`renew_every`](Self::renew_every) says. Does nothing by default.
    ///
    /// # Errors
    ///
    /// When that could not be entered; [`StoreError::Fenced`] when others hold the request for dead.
    fn renew(&self, record: RecordId, fence: u64) -> Pending<'_, ()> {
        let _ = (record, fence);
        Box::pin(std::future::ready(Ok(())))
    }

    /// How often requests that run are to be renewed. Never by default: only others than their own process could take
    /// them for dead.
    fn renew_every(&self) -> Option<Duration> {
        None
    }
}

/// Several servers of a process may share one store.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn secret(&self) -> [u8; 16] {
        (**self).secret()
    }

    fn claim<'a>(&'a self, claim: &'a Claim) -> Pending<'a, Claimed> {
        (**self).claim(claim)
    }

    fn end<'a>(&'a self, record: RecordId, fence: u64, outcome: &'a Outcome) -> Pending<'a, ()> {
        (**self).end(record, fence, outcome)
    }

    fn stats(&self) -> Option<KeyedStats> {
        (**self).stats()
    }

    fn renew(&self, record: RecordId, fence: u64) -> Pending<'_, ()> {
        (**self).renew(record, fence)
    }

    fn renew_every(&self) -> Option<Duration> {
        (**self).renew_every()
    }
}

/// A request that may be new.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claim {
    /// Which.
    pub record: RecordId,
    /// Whose.
    pub caller: CallerId,
    /// By which other arguments under its id are seen.
    pub fingerprint: Fingerprint,
    /// Of a repeat: how long ago the first attempt began, or longer.
    pub age: Option<Duration>,
    /// Of a repeat: an attempt may have reached another process.
    pub elsewhere: bool,
    /// It may run again when its outcome is not known.
    pub reruns: bool,
}

/// What a store says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// It is entered as running: run it.
    Run {
        /// By which its end is known for that of this execution and no other. Of two executions of a request the later one
        /// has the greater.
        fence: u64,
        /// It may have run before.
        again: bool,
    },
    /// It runs in another process: ask again after this.
    InFlight {
        /// How long to wait.
        retry_after: Duration,
    },
    /// It was answered, with this.
    Answered(Kept),
    /// It was answered, and the answer is not kept.
    Completed,
    /// It began, and what it did is not known.
    Unknown,
    /// Its id was used with other arguments.
    OtherArguments,
    /// It is not there, and is so old a repeat that it may have been forgotten.
    Forgotten,
    /// It is new, and there is no room for it.
    Full {
        /// When there will be.
        retry_after: Duration,
        /// It is its caller's share that is full.
        of_caller: bool,
    },
}

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It could not be opened: the operator's to mend.
    #[error("the store of request records {what} cannot be opened: {cause}")]
    Open {
        /// Which one.
        what: String,
        /// What is wrong with it, as it says.
        cause: String,
    },
    /// It is away, full or broken. What was asked may have been entered or not.
    #[error("the store of request records does not answer: {0}")]
    Unavailable(Arc<dyn std::error::Error + Send + Sync>),
    /// The request was taken for dead, and its repeats have been told that its outcome is not known.
    #[error("the request was held for dead, and its outcome for unknown, while it ran")]
    Fenced,
    /// As many wait for the store as may. Try again later.
    #[error("{0} requests wait for the store of their records, as many as may")]
    Busy(usize),
    /// A record is written in a way this version does not know.
    #[error("a record is in a form that this version does not know")]
    UnknownForm,
    /// The record was to be written by a handler that serves no request of this store.
    #[error("the context is not that of a keyed call whose record is in this store")]
    Foreign,
    /// The answer could not be encoded.
    #[error("the answer could not be encoded: {0}")]
    Unencodable(String),
}

impl StoreError {
    /// It is away or broken, and this is what it said.
    pub fn unavailable(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(cause))
    }
}
