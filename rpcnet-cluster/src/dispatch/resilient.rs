//! A call to whoever is there.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{
    Answer, CallError, CallOptions, Caller, Codec, Executed, Reason, Request, SentIds, Status, Streamed,
    Streaming,
};
use tokio::time::Instant;

use super::{
    budget::Budget,
    call::Call,
    hedge::Hedges,
    journal::{CallReport, Journal, Reader},
    selection::Selection,
    settings::Resilience,
    throttle::Throttle,
    upload::Upload,
};
use crate::{
    balance::Chooser,
    metrics,
    registry::{Instance, Selector, SelectorError, WorkerRegistry},
};

/// Carries calls to the workers of a cluster: picks one, and when it fails, another, as far as that is safe.
///
/// A [`Caller`], so every generated client runs over it. Cheap to clone; clones share the balance between workers and the
/// retry budget.
///
/// ```no_run
/// # use rpcnet_cluster::{ClusterMembership, LoadBalancing, ResilientClient, WorkerRegistry};
/// # async fn example(cluster: ClusterMembership) -> Result<(), Box<dyn std::error::Error>> {
/// let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
/// let client = ResilientClient::new(registry).select("role=worker,zone in (eu-1, eu-2)");
/// let answer = client.call("compute", vec![1, 2, 3]).await?;
/// # Ok(()) }
/// ```
///
/// # What is sent again
///
/// | what happened | sent again |
/// |---|---|
/// | the worker could not be reached, or is leaving | always, to the next worker at once |
/// | the worker refused before it ran, being overloaded | always, to another worker |
/// | the connection broke, the attempt took too long | to another worker if the method is `idempotent`, to the same process if it is keyed; else never: [`CallError::OutcomeUnknown`] |
/// | the handler panicked | to another worker if the method is `idempotent`; else never |
/// | the method answered `Err(E)`, or the call itself is wrong | never |
///
/// The first resend waits for nothing if there is a worker not yet tried. Otherwise a resend waits a random part of
/// 50 ms, doubled for each resend before it, at most 2 s. No worker is tried again before the others. Calls that reached a
/// worker are sent at most [`max_attempts`](CallOptions::max_attempts) times, 3 when not set, and over all calls resends
/// are at most a fifth of the calls and 3 a second; past that the first error comes back, marked `retry_budget_exhausted`.
/// [`Resilience`] has these settings.
///
/// A call with streams is sent again like any other until its method has answered, and as long as no item of what the client
/// streams was sent. After that it belongs to its worker: a stream that breaks is cut, and only the program knows where to go
/// on.
///
/// # What is not sent
///
/// A call with a [`max_load`](CallOptions::max_load) fails at once when every worker that could take it has more calls in
/// flight than that share of its capacity; and calls are held back while workers refuse most of what this client sends
/// ([`Resilience::throttle`]). Both fail with [`Reason::Overloaded`] and have not run.
///
/// # Hedging
///
/// A call of a method marked `#[rpc(hedge)]`, or with [`hedge_after`](CallOptions::hedge_after), that takes long is sent to a
/// second worker too, and the first answer counts; a failure is none. The other attempt is cancelled on the wire. For a
/// marked method "long" is longer than 95 % of its calls of the last thirty seconds, once a hundred of them are known; never
/// less than a millisecond. It is one of the call's attempts, goes to a worker that the call has not tried and that nothing
/// speaks against, and is a resend to the budget. A bucket of its own lets hedges be a twentieth of the answered calls, and ten
/// saved up: when everybody becomes slow, hedging stops. It also stops for a second after a worker was full, and while
/// more than half of the workers cannot be reached.
///
/// Only what may run twice is hedged. A keyed call is not, since each worker remembers request ids for itself.
///
/// # Time
///
/// A call ends by its deadline: its [`timeout`](CallOptions::timeout), or 10 s, or what is left of the call it is made for.
/// An attempt of an idempotent call that may be followed by another has half of the call's time, so that a worker that has
/// stopped answering costs the call no more than that: an idempotent method that needs more than half of its deadline
/// wants a longer one, or `max_attempts(1)`. Opening a connection may take half of the attempt's time, and
/// a second. While there is no worker, or none that can be reached, a call waits at most
/// [`wait_for_ready`](Self::wait_for_ready). A call with streams has no deadline unless it is given one.
///
/// # What happened
///
/// A failed call's error lists its attempts ([`FailedAttempts`](crate::FailedAttempts)). Any call's are in its traces, a span for
/// the call and one in it for each attempt, at the level `debug`; beside its answer
/// ([`call_with_report`](Self::call_with_report)); or given to a function ([`reporting`](Self::reporting)).
///
/// # Who is picked
///
/// Of the workers that the selector names and that are not [draining](crate::Worker::is_draining), those that could be reached when last tried (a refused connection puts a worker
/// aside at once, for 100 ms at first and twice as long each further time, up to 10 s) and whose calls do not fail (five
/// failures in a row, or under 80 % of at least twenty calls in thirty seconds answered, put a worker aside for a second at
/// first, up to a minute, until one call shows that it is well; never more than a third of the workers, nor the last); of
/// these, those with room, if the call has a [`max_load`](CallOptions::max_load); of these, those the call has not
/// tried; of these, those nobody in the cluster suspects; among these the registry's
/// [`Balancer`](crate::Balancer) decides, or for a keyed call its request id. If fewer than half could be reached, only those
/// that refused connections are put aside; if none could, all are tried.
///
/// A keyed call that may have run goes back to the process that may have it, be it sent again by this client or repeated by
/// its caller with the same id: that one remembers it, and answers without running it twice. Neither suspicion nor a broken
/// connection, nor another worker that the id points to by now, sends it elsewhere. When the process is gone, or could not be
/// reached for as long as [`wait_for_ready`](Self::wait_for_ready), another worker is asked, and told that it cannot know of
/// the first attempt: it refuses, and the call fails as [`OutcomeUnknown`](CallError::OutcomeUnknown) instead of running
/// twice. This client, and those made of it, know the last [`SentIds::IDS_MAX`] ids.
#[derive(Debug, Clone)]
pub struct ResilientClient {
    shared: Arc<Shared>,
    options: CallOptions,
    wait_for_ready: Duration,
    reader: Option<Reader>,
}

/// What the clones of a client share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: WorkerRegistry,
    pub(super) selection: Result<Selection, SelectorError>,
    pub(super) chooser: Mutex<Chooser>,
    pub(super) budget: Mutex<Budget>,
    pub(super) hedges: Mutex<Hedges>,
    pub(super) throttle: Mutex<Throttle>,
    pub(super) settings: Resilience,
    /// The keyed calls it has sent, and which process each went to; shared by all clients that came of one.
    pub(super) sent: Arc<SentIds<Instance>>,
}

impl ResilientClient {
    /// How long a call waits while there is no worker: a node that has just joined has heard of the others by then.
    pub const WAIT_FOR_READY_DEFAULT: Duration = Duration::from_secs(2);

    /// A client of every worker in the registry.
    pub fn new(registry: WorkerRegistry) -> Self {
        let shared = Shared::new(registry, Ok(Selection::new(None)), Resilience::default());
        let (options, wait_for_ready) = (CallOptions::new(), Self::WAIT_FOR_READY_DEFAULT);
        Self { shared: Arc::new(shared), options, wait_for_ready, reader: None }
    }

    /// A client of the workers with these tags; see [`Selector`] for what can be written.
    ///
    /// A selector that cannot be read is logged here and fails every call, with [`Reason::InvalidSelector`] and the
    /// [`SelectorError`] as its cause. [`try_select`](Self::try_select) tells at once, for selectors that come from a
    /// configuration.
    #[must_use]
    pub fn select(self, selector: &str) -> Self {
        let parsed = selector.parse::<Selector>();
        if let Err(error) = &parsed {
            tracing::error!(%error, "every call of this client will fail");
        }
        self.selecting(parsed.map(|selector| Selection::new(Some(selector))))
    }

    /// A client of the workers with these tags.
    ///
    /// # Errors
    ///
    /// When the selector cannot be read: says where and what was expected.
    pub fn try_select(self, selector: &str) -> Result<Self, SelectorError> {
        let selection = Selection::new(Some(selector.parse()?));
        Ok(self.selecting(Ok(selection)))
    }

    /// How long a call waits while no worker is there or none can be reached, if its deadline lets it.
    /// [`WAIT_FOR_READY_DEFAULT`](Self::WAIT_FOR_READY_DEFAULT) when not set.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: Duration) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// A client with these settings, and a budget, hedges and a throttle of its own.
    #[must_use]
    pub fn resilience(self, settings: Resilience) -> Self {
        let selection = self.shared.selection.as_ref();
        let selection = selection.map(|selection| Selection::new(selection.selector().cloned()));
        self.sharing(selection.map_err(Clone::clone), settings)
    }

    /// The same client; calls without options of their own use these.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { options: options.or(&self.options), ..self.clone() }
    }

    /// The registry it picks from.
    pub fn registry(&self) -> &WorkerRegistry {
        &self.shared.registry
    }

    /// Calls a method by name, bytes in and bytes out.
    ///
    /// At most once, unless the client's options say [`idempotent`](CallOptions::idempotent).
    ///
    /// # Errors
    ///
    /// See [`CallError`]; [`FailedAttempts::of`](crate::FailedAttempts::of) its status lists who was tried.
    pub async fn call(&self, name: &str, payload: impl Into<Bytes>) -> Result<Bytes, CallError> {
        let answer = self.invoke(Request::untyped(name, payload, self.options.clone())).await?;
        answer.untyped(self.codec())
    }

    /// Calls a method like [`call`](Self::call), and says what happened on the way, whether it failed or not.
    ///
    /// ```no_run
    /// # async fn example(client: rpcnet_cluster::ResilientClient) {
    /// let (answer, report) = client.call_with_report("compute", vec![1, 2, 3]).await;
    /// println!("{report}");
    /// for attempt in &report.attempts {
    ///     println!("{} at {} after {:?}: {:?}", attempt.label, attempt.addr, attempt.began, attempt.end);
    /// }
    /// # }
    /// ```
    pub async fn call_with_report(
        &self,
        name: &str,
        payload: impl Into<Bytes>,
    ) -> (Result<Bytes, CallError>, CallReport) {
        let request = Request::untyped(name, payload, self.options.clone());
        let (result, report) = self.journaled(request, None).await;
        let answer =
            result.map_err(CallError::from).and_then(|streamed| streamed.answer.untyped(self.codec()));
        (answer, report)
    }

    /// The same client; after each of its calls, also those of a generated client over it, `read` is given what happened. It
    /// runs before the caller has the answer, and should be quick. A call that is dropped before its end has no report.
    ///
    /// ```no_run
    /// # use rpcnet_cluster::ResilientClient;
    /// # fn example(client: ResilientClient) {
    /// let client = client.reporting(|report| {
    ///     if report.attempts.len() > 1 {
    ///         println!("{report}");
    ///     }
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn reporting(mut self, read: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        self.reader = Some(Reader(Arc::new(read)));
        self
    }

    /// Carries a call, and says what happened.
    async fn journaled(
        &self,
        request: Request,
        upload: Option<Upload>,
    ) -> (Result<Streamed, Status>, CallReport) {
        let mut journal = Journal::begin(&request);
        let result = match self.begin(request, upload, Some(&mut journal)) {
            Ok(call) => call.run().await,
            Err(status) => Err(status),
        };
        let report = journal.finish(result.as_ref().err());
        (result, report)
    }

    /// Carries a call, and tells whoever wants to know.
    async fn told(
        &self,
        Reader(read): &Reader,
        request: Request,
        upload: Option<Upload>,
    ) -> Result<Streamed, Status> {
        let (result, report) = self.journaled(request, upload).await;
        read(&report);
        result
    }

    /// A call under way, unless it is not to be sent at all. One that has a stream comes with what the client streams.
    fn begin<'a>(
        &'a self,
        mut request: Request,
        upload: Option<Upload>,
        journal: Option<&'a mut Journal>,
    ) -> Result<Call<'a>, Status> {
        request.options = std::mem::take(&mut request.options).or(&self.options);
        let now = Instant::now();
        match &self.shared.selection {
            Ok(_) if !self.shared.throttle_admits(now) => Err(held_back(&request)),
            Ok(selection) => {
                Ok(Call::new(&self.shared, selection, request, now, self.wait_for_ready, upload, journal))
            }
            Err(error) => {
                let message = format!("{}: {error}", request.name);
                Err(Status::new(Reason::InvalidSelector, Executed::No, message).caused_by(error.clone()))
            }
        }
    }

    fn selecting(self, selection: Result<Selection, SelectorError>) -> Self {
        self.sharing(selection, self.shared.settings)
    }

    #[cfg(test)]
    pub(super) fn throttle(&self) -> &Mutex<Throttle> {
        &self.shared.throttle
    }

    fn sharing(&self, selection: Result<Selection, SelectorError>, settings: Resilience) -> Self {
        let shared = Shared::new(self.shared.registry.clone(), selection, settings);
        let shared = Shared { sent: Arc::clone(&self.shared.sent), ..shared };
        Self { shared: Arc::new(shared), ..self.clone() }
    }
}

impl Shared {
    fn new(
        registry: WorkerRegistry,
        selection: Result<Selection, SelectorError>,
        settings: Resilience,
    ) -> Self {
        let chooser = Chooser::new(registry.balancer(), fastrand::Rng::new());
        let now = Instant::now().into_std();
        let budget = Budget::new(now, settings.retry_share, settings.retry_reserve);
        let (chooser, budget, hedges) = (Mutex::new(chooser), Mutex::new(budget), Mutex::new(Hedges::new()));
        let throttle = Mutex::new(Throttle::new(now));
        Self { registry, selection, chooser, budget, hedges, throttle, settings, sent: Arc::default() }
    }
}

impl Shared {
    fn throttle_admits(&self, now: Instant) -> bool {
        !self.settings.throttle || self.throttle.lock().admits(now.into_std(), fastrand::f64())
    }
}

fn held_back(request: &Request) -> Status {
    metrics::held_back();
    let message = format!(
        "{}: held back by this client, because workers refuse most of what it sends (`Resilience::throttle`)",
        request.name
    );
    Status::new(Reason::Overloaded, Executed::No, message)
}

impl Caller for ResilientClient {
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let streamed = match &self.reader {
            None => self.begin(request, None, None)?.run().await?,
            // In a box, as most clients have none.
            Some(reader) => Box::pin(self.told(reader, request, None)).await?,
        };
        Ok(streamed.answer)
    }

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        let upload = Some(Upload::new(items));
        match &self.reader {
            None => self.begin(request, upload, None)?.run().await,
            Some(reader) => Box::pin(self.told(reader, request, upload)).await,
        }
    }

    fn codec(&self) -> Codec {
        Codec::default()
    }

    fn options(&self) -> CallOptions {
        self.options.clone()
    }
}
