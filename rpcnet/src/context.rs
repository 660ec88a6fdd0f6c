//! What a handler may know of the call it serves.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use uuid::Uuid;

use crate::{
    idempotency::{RecordOf, Repeat},
    metadata::Metadata,
    server::admission::Running,
    trace::TraceContext,
    transport::Identity,
};

/// The call a handler is serving: who asks, until when, under which request id, with which metadata.
///
/// A method that declares a parameter `ctx: Context` is given it; anything a handler calls finds it with
/// [`Context::current`]. A call made inside a handler inherits its deadline and its trace.
///
/// Cheap to clone: clones are one call's.
/// ```
/// use rpcnet::{Metadata, prelude::*};
///
/// #[rpc_trait]
/// trait Notes {
///     async fn first(&self, ctx: Context) -> rpcnet::Result<String>;
/// }
///
/// struct Book;
///
/// impl Notes for Book {
///     async fn first(&self, ctx: Context) -> rpcnet::Result<String> {
///         let tenant = ctx.metadata().get("tenant").ok_or_else(|| AppError::msg("whose notes?"))?;
///         assert!(ctx.remaining().is_some(), "every call has a deadline");
///         Ok(format!("the first note of {tenant}"))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let notes = NotesClient::local(Book); // over a network: `connect`
/// let ann = CallOptions::new().metadata(Metadata::new().with("tenant", "ann")?);
/// assert_eq!(notes.with(ann).first().await?, "the first note of ann");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    about: About,
    cancelled: AtomicBool,
    /// It ran before, and its outcome is not known.
    again: AtomicBool,
    /// Of a keyed call whose record is in a store.
    record: OnceLock<RecordOf>,
    /// Wakes those who wait for the cancellation.
    waiting: Notify,
    /// Given back by whoever runs the handler, not by whoever keeps a clone of this.
    places: Mutex<Places>,
}

/// What a call holds while its handler runs: its place among the calls of its connection, and among those of the server.
#[derive(Debug, Default)]
pub(crate) struct Places {
    #[expect(dead_code, reason = "held, and given back by being dropped")]
    connection: Option<OwnedSemaphorePermit>,
    server: Option<Running>,
}

/// What is known of a call from the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// The same for all calls of a connection. None for a call in the same process.
    pub(crate) origin: Option<Arc<Origin>>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) request_id: Option<Uuid>,
    /// Of a keyed call that is not the first of its id.
    pub(crate) repeat: Option<Box<Repeat>>,
    pub(crate) metadata: Option<Arc<Metadata>>,
    pub(crate) trace: Option<Box<TraceContext>>,
}

/// Where calls come from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) identity: Option<Identity>,
}

impl About {
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.origin.as_ref()?.identity.as_ref()
    }
}

/// The metadata of a call that has none.
static NO_METADATA: std::sync::LazyLock<Metadata> = std::sync::LazyLock::new(Metadata::new);

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    /// `connection`, its place among the calls of its connection, is kept until it is taken.
    pub(crate) fn new(about: About, connection: Option<OwnedSemaphorePermit>) -> Self {
        let places = Mutex::new(Places { connection, server: None });
        let (cancelled, again, waiting) = (AtomicBool::new(false), AtomicBool::new(false), Notify::new());
        Self { inner: Arc::new(Inner { about, cancelled, again, record: OnceLock::new(), waiting, places }) }
    }

    /// The call's turn has come: its place among those that run in the server is kept until it is taken.
    pub(crate) fn set_running(&self, running: Running) {
        self.inner.places.lock().server = Some(running);
    }

    /// Hands over the call's places: they are free when what is given back here is dropped.
    pub(crate) fn take_places(&self) -> Places {
        std::mem::take(&mut *self.inner.places.lock())
    }

    /// The call being served by the handler that runs here, or `None` outside of any.
    ///
    /// A task spawned by a handler starts outside: what it does may outlive the call.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// The address the call came from, where the transport has one. None for a call in the same process, and for one over a
    /// Unix domain socket.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.inner.about.origin.as_ref()?.peer
    }

    /// Who the caller proved to be, by the certificate of its connection. None without TLS, and for a client that was let in
    /// without one.
    pub fn identity(&self) -> Option<&Identity> {
        self.inner.about.identity()
    }

    /// When the caller stops waiting. `None` if the caller waits for ever, and for a method that runs on when its
    /// caller has given up: one that is keyed or `no_cancel`.
    pub fn deadline(&self) -> Option<Instant> {
        self.inner.about.deadline
    }

    /// How long the caller will still wait: zero when the deadline has passed, `None` when it waits for ever.
    pub fn remaining(&self) -> Option<Duration> {
        let now = tokio::time::Instant::now().into_std();
        self.deadline().map(|deadline| deadline.saturating_duration_since(now))
    }

    /// The request id of a keyed call.
    pub fn request_id(&self) -> Option<Uuid> {
        self.inner.about.request_id
    }

    /// Whether the request may have run before, in whole or in part, and its outcome is not known. Only a method that is marked
    /// `#[rpc(on_unknown = "rerun")]` is run in that case.
    pub fn runs_again(&self) -> bool {
        self.inner.again.load(Ordering::Acquire)
    }

    /// It runs although it may have run before.
    pub(crate) fn set_runs_again(&self) {
        self.inner.again.store(true, Ordering::Release);
    }

    /// The call's record is in a store, and this one.
    pub(crate) fn set_record(&self, record: RecordOf) {
        // Set once: a call runs once.
        let _ = self.inner.record.set(record);
    }

    /// The call's record, if it is in a store.
    #[cfg(feature = "redb")]
    pub(crate) fn record(&self) -> Option<RecordOf> {
        self.inner.record.get().copied()
    }

    /// What the caller sent beside the arguments.
    pub fn metadata(&self) -> &Metadata {
        self.inner.about.metadata.as_deref().unwrap_or(&NO_METADATA)
    }

    /// The trace the call belongs to, if its caller has one.
    pub fn trace(&self) -> Option<TraceContext> {
        self.inner.about.trace.as_deref().copied()
    }

    /// Whether nobody waits for the call's answer any more: its caller gave up, its connection broke, its deadline passed.
    ///
    /// A handler that is an `async fn` is dropped then and need not ask. This is for what goes on: a `blocking` or
    /// `no_cancel` method, a keyed one, a task that the handler spawned.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::Acquire)
    }

    /// Waits until [nobody waits](Self::is_cancelled) for the call's answer. For ever, if it is answered first.
    pub async fn cancelled(&self) {
        let notified = self.inner.waiting.notified();
        let mut notified = std::pin::pin!(notified);
        // Registered before the flag is looked at, so that a cancellation in between is not missed.
        notified.as_mut().enable();
        if !self.is_cancelled() {
            notified.await;
        }
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn cancel(&self) {
        if !self.inner.cancelled.swap(true, Ordering::AcqRel) {
            self.inner.waiting.notify_waiters();
        }
    }

    /// Runs a function as part of the handler of this call: what it polls sees the call as [`Context::current`].
    pub(crate) fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), run)
    }
}
