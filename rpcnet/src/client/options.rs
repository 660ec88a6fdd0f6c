//! What a caller may say about one call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    context::Context, descriptor::Idempotency, metadata::Metadata, time::later, trace::TraceContext,
};

/// Settings of a call. What is not set is taken from the channel, then from the defaults.
///
/// ```
/// # use rpcnet::CallOptions;
/// # use std::time::Duration;
/// let quick = CallOptions::timeout(Duration::from_millis(50)).idempotent(true);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    hedge: Option<Hedge>,
    /// What few calls set, apart: options are copied with every call. `None` when nothing of it is set.
    rest: Option<Arc<Rest>>,
}

/// What few calls set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rest {
    max_attempts: Option<u32>,
    idempotent: Option<bool>,
    metadata: Option<Arc<Metadata>>,
    trace: Option<TraceContext>,
    wait_for_ready: Option<bool>,
    affinity: Option<Bytes>,
    /// In thousandths, for options are compared.
    max_load: Option<u32>,
    first_sent_at: Option<Instant>,
}

impl Rest {
    fn or(&self, base: &Self) -> Self {
        Self {
            max_attempts: self.max_attempts.or(base.max_attempts),
            idempotent: self.idempotent.or(base.idempotent),
            metadata: self.metadata.as_ref().or(base.metadata.as_ref()).cloned(),
            trace: self.trace.or(base.trace),
            wait_for_ready: self.wait_for_ready.or(base.wait_for_ready),
            affinity: self.affinity.as_ref().or(base.affinity.as_ref()).cloned(),
            max_load: self.max_load.or(base.max_load),
            first_sent_at: self.first_sent_at.or(base.first_sent_at),
        }
    }
}

/// When a call is sent to a second worker while the first has not answered: see
/// [`hedge_after`](CallOptions::hedge_after).
///
/// ```
/// use std::time::Duration;
/// use rpcnet::{CallOptions, Hedge};
///
/// // A second worker is asked when the first has not answered after 20 ms.
/// let options = CallOptions::new().hedge_after(Duration::from_millis(20));
/// assert_eq!(options.hedge_set(), Some(Hedge::After(Duration::from_millis(20))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hedge {
    /// Never.
    Never,
    /// After this time.
    After(Duration),
    /// After the time in which 95 % of the method's calls were answered lately. `#[rpc(hedge)]` says it of a method.
    AtP95,
}

impl CallOptions {
    /// The deadline of a call that names none and inherits none.
    ///
    /// Ten seconds: longer than any healthy call, shorter than a person's patience. A call without a deadline could hang
    /// for ever on a host that vanished.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

    /// Options that set nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Options with a deadline for the whole call, all its attempts included.
    pub fn timeout(timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..Self::default() }
    }

    /// How often the call may be sent, the first time included; at least once. Used by clients that know several
    /// workers; a single connection sends once.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.rest_mut().max_attempts = Some(attempts.max(1));
        self
    }

    /// Says of an untyped call whether repeating it is safe. A typed method says so itself, and only it is asked.
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.rest_mut().idempotent = Some(idempotent);
        self
    }

    /// What travels with the call beside its arguments, in place of what was set before.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.rest_mut().metadata = Some(Arc::new(metadata));
        self
    }

    /// The trace the call belongs to. Otherwise it is that of the call it is made for, if that has one.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.rest_mut().trace = Some(trace);
        self
    }

    /// Whether a call to a server that cannot be reached waits until it can, for as long as its deadline lets it. Otherwise
    /// it fails at once. Used by a [`Channel`](crate::Channel).
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.rest_mut().wait_for_ready = Some(wait);
        self
    }

    /// What the call is about, such as a user's name. Clients that know several workers and balance by consistent hashing send
    /// calls of the same key to the same worker, as far as that one is there and not too busy; others ignore it. It does not
    /// travel with the call.
    #[must_use]
    pub fn affinity(mut self, key: impl AsRef<[u8]>) -> Self {
        self.rest_mut().affinity = Some(Bytes::copy_from_slice(key.as_ref()));
        self
    }

    /// Sends the call to a second worker when the first has not answered within `delay`, and takes the first answer that
    /// is one. Used by clients that know several workers; a single connection sends once.
    ///
    /// Only where repeating is harmless, which are the methods marked `#[rpc(read)]` and `#[rpc(idempotent)]`, and untyped
    /// calls that are [`idempotent`](Self::idempotent): for other calls, and for calls with streams, this has no effect. A
    /// method marked `#[rpc(hedge)]` is hedged without it, after a time that is measured. At least a millisecond.
    ///
    /// A second attempt is work that is mostly in vain. `rpcnet_cluster::ResilientClient` says how much of it is allowed.
    #[must_use]
    pub fn hedge_after(self, delay: Duration) -> Self {
        self.hedge(Hedge::After(delay))
    }

    /// Whether, and when, the call is sent to a second worker too: see [`hedge_after`](Self::hedge_after).
    /// `hedge(Hedge::Never)` turns off what the method's trait has turned on.
    #[must_use]
    pub fn hedge(mut self, hedge: Hedge) -> Self {
        self.hedge = Some(hedge);
        self
    }

    /// Sends the call only to a worker that has fewer calls of this process in flight than `load` times its capacity allows
    /// (0.8 leaves a fifth free), and fails it at once, with [`Reason::Overloaded`](crate::Reason::Overloaded) and without
    /// having run, when every worker that could take it has not. Used by clients that know several workers; of no effect at
    /// workers that have not said what they can carry, and a worker that has nothing to do takes a call in any case.
    ///
    /// In thousandths; below 0 is 0.
    #[must_use]
    pub fn max_load(mut self, load: f64) -> Self {
        // Saturates, and takes what is no number for 0.
        self.rest_mut().max_load = Some((load * 1_000.0).round() as u32);
        self
    }

    /// Says of a keyed call that it repeats one that was first sent then, or a little later. For repeats of what another client
    /// sent, of this process or of one that has ended; what a client has sent itself it knows.
    ///
    /// A server that was started since, or remembers nothing so old, refuses such a call instead of running it again:
    /// [`DedupHorizonLost`](crate::Reason::DedupHorizonLost).
    #[must_use]
    pub fn first_sent_at(mut self, then: Instant) -> Self {
        self.rest_mut().first_sent_at = Some(then);
        self
    }

    /// What [`first_sent_at`](Self::first_sent_at) was set to.
    pub fn first_sent_at_set(&self) -> Option<Instant> {
        self.rest(|rest| rest.first_sent_at)
    }

    /// These options, with what they leave open taken from `base`.
    #[must_use]
    pub fn or(self, base: &Self) -> Self {
        let rest = match (self.rest, &base.rest) {
            (Some(own), Some(base)) if !Arc::ptr_eq(&own, base) => Some(Arc::new(own.or(base))),
            (own, base) => own.or_else(|| base.clone()),
        };
        Self { timeout: self.timeout.or(base.timeout), hedge: self.hedge.or(base.hedge), rest }
    }

    /// When a call with these options, made now, must end: after its own timeout
    /// ([`TIMEOUT_DEFAULT`](Self::TIMEOUT_DEFAULT) when not set), or with the call it is made for
    /// ([`Context::current`]), whichever is sooner. For whoever implements [`Caller`](crate::Caller).
    pub fn deadline(&self, now: Instant) -> Instant {
        let own = later(now, self.timeout.unwrap_or(Self::TIMEOUT_DEFAULT));
        self.explicit_deadline(now).map_or(own, |explicit| own.min(explicit))
    }

    /// When a call with streams must end, its streams with it. Nobody can guess how long a stream is to last, so that it has
    /// no deadline unless it is given one, or is part of a call that has one. A server that vanishes is noticed all the
    /// same.
    pub fn explicit_deadline(&self, now: Instant) -> Option<Instant> {
        let own = self.timeout.map(|timeout| later(now, timeout));
        let inherited = Context::current().and_then(|context| context.deadline());
        own.into_iter().chain(inherited).min()
    }

    /// The trace a call with these options, made now, belongs to: its own, or that of the call it is made for.
    pub fn trace_now(&self) -> Option<TraceContext> {
        self.rest(|rest| rest.trace).or_else(|| Context::current()?.trace())
    }

    /// What travels with a call beside its arguments.
    pub fn metadata_set(&self) -> Option<&Metadata> {
        self.rest.as_ref()?.metadata.as_deref()
    }

    /// These options, with the timeout that a method's trait gives its calls where they have none.
    pub(crate) fn or_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = self.timeout.or(timeout);
        self
    }

    /// These options, with what a method's trait says of hedging where they say nothing.
    pub(crate) fn or_hedge(mut self, hedge: bool) -> Self {
        self.hedge = self.hedge.or(hedge.then_some(Hedge::AtP95));
        self
    }

    pub(crate) fn waits_for_ready(&self) -> bool {
        self.rest(|rest| rest.wait_for_ready) == Some(true)
    }

    /// The timeout that was set, if one was.
    pub fn timeout_set(&self) -> Option<Duration> {
        self.timeout
    }

    /// The key that was set, if one was.
    pub fn affinity_set(&self) -> Option<&[u8]> {
        self.rest.as_ref()?.affinity.as_deref()
    }

    /// The number of attempts that was set, if one was.
    pub fn max_attempts_set(&self) -> Option<u32> {
        self.rest(|rest| rest.max_attempts)
    }

    /// What was set of hedging, if anything was.
    pub fn hedge_set(&self) -> Option<Hedge> {
        self.hedge
    }

    /// The load that was set, if one was.
    pub fn max_load_set(&self) -> Option<f64> {
        self.rest(|rest| rest.max_load).map(|load| f64::from(load) / 1_000.0)
    }

    /// The idempotency of an untyped call under these options.
    pub(crate) fn untyped_idempotency(&self) -> Idempotency {
        if self.rest(|rest| rest.idempotent) == Some(true) {
            Idempotency::Idempotent
        } else {
            Idempotency::AtMostOnce
        }
    }

    /// The metadata that was set, to be shared.
    pub(crate) fn shared_metadata(&self) -> Option<Arc<Metadata>> {
        self.rest.as_ref()?.metadata.clone()
    }

    fn rest<T>(&self, of: impl FnOnce(&Rest) -> Option<T>) -> Option<T> {
        self.rest.as_deref().and_then(of)
    }

    fn rest_mut(&mut self) -> &mut Rest {
        Arc::make_mut(self.rest.get_or_insert_default())
    }
}

/// What layers change of a call on its way.
#[cfg(feature = "tower")]
impl CallOptions {
    pub(crate) fn set_metadata(&mut self, metadata: Arc<Metadata>) {
        self.rest_mut().metadata = Some(metadata);
    }

    pub(crate) fn metadata_mut(&mut self) -> &mut Metadata {
        Arc::make_mut(self.rest_mut().metadata.get_or_insert_default())
    }

    /// The trace that was set.
    pub(crate) fn trace_set(&self) -> Option<TraceContext> {
        self.rest(|rest| rest.trace)
    }

    pub(crate) fn set_trace(&mut self, trace: Option<TraceContext>) {
        if self.trace_set() != trace {
            self.rest_mut().trace = trace;
        }
    }
}
