//! Repeated request ids: one execution, and its answer to whoever asks again.
//!
//! ```text
//!            begin                complete
//! (absent) ─────────▶ InFlight ───────────────▶ Done      the answer, for `window`
//!     ▲                  │ │     panic, aborted
//!     │  nothing ran     │ └──────────────────▶ Lost      what it did is not known, for `window`
//!     └──────────────────┘
//! ```
//!
//! A repeat finds one of these and is attached, answered, or told what is not known; it never runs. The same id with other
//! arguments is refused. The look-up and the entry are one step under one lock: between a check and a later insert two
//! duplicates could both run.

mod memory;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher as _;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use self::memory::{Found, Outcome, Table};
use crate::{
    client::caller::Answer,
    codec::Codec,
    descriptor::MethodId,
    status::{Executed, Reason, Status},
};

/// The bounds of the cache that answers repeated request ids.
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`window`](Self::window) | 5 min | longer than any sane chain of retries |
/// | [`entries_max`](Self::entries_max) | 100 000 | some 330 keyed calls a second, all remembered for the window |
/// | [`bytes_max`](Self::bytes_max) | 64 MiB | the answers together |
/// | [`answer_bytes_max`](Self::answer_bytes_max) | 1 MiB | one answer; a larger one is not kept |
///
/// Nothing is forgotten within the window. When the table is full, new keyed calls are refused before they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// How long an answer is remembered.
    pub window: Duration,
    /// How many requests are remembered, those still running included.
    pub entries_max: usize,
    /// How many bytes of answers are remembered. An answer that does not fit any more is not kept: a repeat is told that
    /// the request was completed.
    pub bytes_max: usize,
    /// The largest answer that is remembered.
    pub answer_bytes_max: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        let window = Duration::from_secs(300);
        Self { window, entries_max: 100_000, bytes_max: 64 << 20, answer_bytes_max: 1 << 20 }
    }
}

/// What names a request: the method and the id its caller chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) method: MethodId,
    pub(crate) request_id: Uuid,
}

/// The answers of one server's keyed calls.
#[derive(Debug)]
pub(crate) struct Cache {
    table: Mutex<Table>,
    hash_keys: (u64, u64),
}

/// What to do with a keyed call.
#[derive(Debug)]
pub(crate) enum Begin {
    /// It is the first: run it.
    Run(Ticket),
    /// The same request is running: its answer will be this one's too.
    Attach(oneshot::Receiver<Result<Answer, Status>>),
    /// The same request was answered: with this.
    Replay(Result<Answer, Status>),
    /// It cannot be run.
    Refuse(Status),
}

impl Cache {
    pub(crate) fn new(limits: CacheLimits) -> Arc<Self> {
        // A key of this process alone: nobody outside can look for arguments with the same fingerprint.
        let hash_keys = Uuid::new_v4().as_u64_pair();
        Arc::new(Self { table: Mutex::new(Table::new(limits)), hash_keys })
    }

    /// Looks a request up and, if it is new, marks it as running.
    pub(crate) fn begin(self: &Arc<Self>, key: Key, codec: Codec, payload: &[u8]) -> Begin {
        let fingerprint = self.fingerprint(codec, payload);
        let found = self.table.lock().begin(Instant::now().into_std(), key, fingerprint);
        match found {
            Found::New => Begin::Run(Ticket { cache: Arc::clone(self), key, open: true }),
            Found::InFlight(answer) => Begin::Attach(answer),
            Found::Done(answer) => Begin::Replay(Ok(answer)),
            Found::Completed => Begin::Replay(Err(completed())),
            Found::Lost => Begin::Replay(Err(lost())),
            Found::OtherArguments => Begin::Refuse(reused(key)),
            Found::Full { retry_after } => Begin::Refuse(full(retry_after)),
        }
    }

    fn fingerprint(&self, codec: Codec, payload: &[u8]) -> u128 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_keys.0, self.hash_keys.1);
        hasher.write_u8(codec.to_wire());
        hasher.write(payload);
        hasher.finish128().as_u128()
    }
}

/// The right to run a request, and the duty to say how it ended.
///
/// One that is dropped without a word (its task was ended, its handler panicked where nobody caught it) leaves the request
/// as lost: it may have run in part, and running it again could do its work twice.
#[derive(Debug)]
pub(crate) struct Ticket {
    cache: Arc<Cache>,
    key: Key,
    open: bool,
}

impl Ticket {
    /// The request has run, or was refused before it did: then the next call with its id is the first.
    pub(crate) fn complete(mut self, result: Result<&Answer, &Status>) {
        let outcome = match result {
            Ok(answer) => Outcome::Answered(answer.clone()),
            Err(status) if status.executed() == Executed::No => Outcome::NothingRan,
            Err(_) => Outcome::Lost,
        };
        self.close(outcome);
    }

    fn close(&mut self, outcome: Outcome) {
        self.open = false;
        let attached = self.cache.table.lock().end(Instant::now().into_std(), self.key, &outcome);
        for waiter in attached {
            // Whoever has gone away meanwhile wants no answer.
            let _ = waiter.send(outcome.for_the_attached());
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            self.close(Outcome::Lost);
        }
    }
}

impl Outcome {
    fn for_the_attached(&self) -> Result<Answer, Status> {
        match self {
            Outcome::Answered(answer) => Ok(answer.clone()),
            Outcome::Lost => Err(lost()),
            Outcome::NothingRan => {
                let message = "the request this call was attached to was refused before it ran";
                Err(Status::new(Reason::Overloaded, Executed::No, message))
            }
        }
    }
}

fn completed() -> Status {
    let message = "the request was completed, and its answer was too large to keep (`CacheLimits`): \
                   read the result where the method left it";
    Status::new(Reason::AlreadyCompleted, Executed::Yes, message)
}

fn lost() -> Status {
    let message =
        "a request with this id began and was cut short: what it did is not known, and it is not run again";
    Status::new(Reason::AlreadyCompleted, Executed::Unknown, message)
}

fn reused(key: Key) -> Status {
    let message = format!(
        "the request id {} was used with other arguments, or in another codec; a new request needs a new id",
        key.request_id
    );
    Status::new(Reason::RequestIdReused, Executed::No, message)
}

fn full(retry_after: Duration) -> Status {
    let message = "as many requests are remembered as `CacheLimits::entries_max` allows; forgetting one could run it twice";
    Status::new(Reason::Overloaded, Executed::No, message).retry_after(retry_after)
}
