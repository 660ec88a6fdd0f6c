//! What a server serves, and how a call to it begins.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    task::JoinSet,
};
use uuid::Uuid;

use super::{
    admission::Admission,
    execution::Execution,
    router::{Route, Router},
    settings::Settings,
};
#[cfg(feature = "tower")]
use crate::layer::{Serve, ServerCall, stack::LayeredCall};
use crate::{
    body::{Body, Streamed},
    client::caller::Answer,
    codec::Codec,
    context::{About, Context},
    descriptor::{Idempotency, MethodId},
    idempotency::{Begin, Cache, Claiming, Key, Keyed, Ticket},
    status::{Executed, Reason, Status},
    wire::Limits,
};

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) router: Router,
    pub(crate) cache: Arc<Cache>,
    pub(crate) limits: Limits,
    pub(crate) admission: Arc<Admission>,
    /// What stands before every method, if anything does.
    #[cfg(feature = "tower")]
    pub(crate) layers: Option<Serve>,
    /// Calls that are run to their end whoever gives up. They outlive their connections, and end with the server.
    detached: Mutex<JoinSet<()>>,
}

/// A call that has come.
pub(crate) struct Incoming {
    pub(crate) method: MethodId,
    /// Whether the caller knows the method as one with a stream.
    pub(crate) streaming: bool,
    /// By which it can be seen that the caller means another method; 0 when it does not know.
    pub(crate) fingerprint: u32,
    pub(crate) codec: Codec,
    pub(crate) about: About,
    pub(crate) arguments: Body,
    /// Its place among the calls of its connection, until its handler has stopped.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// What has become of a call so far.
pub(crate) enum Begun {
    /// It is to be polled, and dropped when nobody waits any more.
    Run(Execution),
    /// It runs by itself, and its answer is handed to whoever began it. Cancelling the context tells it that nobody waits.
    Detached(Context),
    /// The same request runs already: its answer will be here. `Err` when it was cut short.
    Attached(oneshot::Receiver<Result<Answer, Status>>),
    /// It ran before, and this was its answer.
    Replayed(Result<Answer, Status>),
    /// It goes through layers, and begins when they let it.
    #[cfg(feature = "tower")]
    Layered(LayeredCall),
}

impl Services {
    pub(crate) fn new(router: Router, settings: Settings) -> Arc<Self> {
        router.settle();
        let cache = Cache::new(settings.cache, settings.store.clone(), now());
        settings.keyed.reads(&cache);
        Arc::new(Self {
            router,
            cache,
            limits: settings.limits,
            admission: settings.admission(),
            #[cfg(feature = "tower")]
            layers: settings.layers.build(),
            detached: Mutex::default(),
        })
    }

    /// Begins a call. `answered` gets the answer of one that runs by itself.
    ///
    /// # Errors
    ///
    /// When the call is refused: nothing has run.
    pub(crate) fn begin(
        self: &Arc<Self>,
        call: Incoming,
        answered: impl FnOnce(Result<Streamed, Status>) + Send + 'static,
    ) -> Result<Begun, Status> {
        let route = self.router.find(call.method)?;
        route.check_identity(call.about.identity())?;
        route.check_caller(call.streaming, call.fingerprint)?;
        #[cfg(feature = "tower")]
        if self.layers.is_some() {
            return Ok(Begun::Layered(ServerCall::new(self, route, call).begin()));
        }
        self.start(route, call, answered)
    }

    /// Begins a call whose method is known and which every layer has let through.
    pub(crate) fn start(
        &self,
        route: &Arc<Route>,
        call: Incoming,
        answered: impl FnOnce(Result<Streamed, Status>) + Send + 'static,
    ) -> Result<Begun, Status> {
        match route.idempotency {
            Idempotency::Keyed => self.begin_keyed(route, call, answered),
            _ if call.about.request_id.is_some() => Err(not_keyed()),
            _ if route.no_cancel => Ok(self.detach(self.execution(route, unbounded(call))?, None, answered)),
            _ => self.execution(route, call).map(Begun::Run),
        }
    }

    /// Begins a call that may be a repeat.
    fn begin_keyed(
        &self,
        route: &Arc<Route>,
        call: Incoming,
        answered: impl FnOnce(Result<Streamed, Status>) + Send + 'static,
    ) -> Result<Begun, Status> {
        let request_id = request_id(&call)?;
        let keyed = Keyed {
            key: Key { caller: call.about.identity(), method: route.id, request_id },
            codec: call.codec,
            arguments: &call.arguments.payload,
            repeat: call.about.repeat.as_deref().copied(),
            reruns: route.reruns,
        };
        match self.cache.begin(now(), &keyed) {
            Begin::Ask(claiming) => Ok(self.ask(route, claiming, call, answered)),
            Begin::Run(ticket) => match self.execution(route, unbounded(call)) {
                Ok(execution) => Ok(self.detach(execution, Some(ticket), answered)),
                Err(status) => {
                    ticket.complete(now(), Err(&status));
                    Err(status)
                }
            },
            Begin::Attach(answer) => Ok(Begun::Attached(answer)),
            Begin::Replay(result) => Ok(Begun::Replayed(result)),
            Begin::Refuse(status) => Err(status),
        }
    }

    /// Looks a call up in the store and runs it if it is new, in a task that its caller cannot end: once it is claimed, its
    /// end has to be entered.
    fn ask(
        &self,
        route: &Arc<Route>,
        claiming: Box<Claiming>,
        call: Incoming,
        answered: impl FnOnce(Result<Streamed, Status>) + Send + 'static,
    ) -> Begun {
        let call = unbounded(call);
        let context = Context::new(call.about, call.permit);
        let claimed = Claimed {
            route: Arc::clone(route),
            admission: Arc::clone(&self.admission),
            codec: call.codec,
            context: context.clone(),
            arguments: call.arguments,
        };
        self.spawn(async move { answered(claimed.run(claiming).await) });
        Begun::Detached(context)
    }

    /// A call that is not refused, now or when its turn has come.
    fn execution(&self, route: &Arc<Route>, call: Incoming) -> Result<Execution, Status> {
        let turn = self.admission.enter()?;
        Execution::new(route, call.codec, Context::new(call.about, call.permit), call.arguments, turn)
    }

    /// Runs a call in a task that its caller cannot end.
    fn detach(
        &self,
        execution: Execution,
        ticket: Option<Ticket>,
        answered: impl FnOnce(Result<Streamed, Status>) + Send + 'static,
    ) -> Begun {
        let context = execution.context().clone();
        self.spawn(async move {
            answered(match ticket {
                Some(ticket) => keyed(execution, ticket).await,
                None => execution.await,
            });
        });
        Begun::Detached(context)
    }

    fn spawn(&self, running: impl Future<Output = ()> + Send + 'static) {
        let mut detached = self.detached.lock();
        while detached.try_join_next().is_some() {}
        detached.spawn(running);
    }

    /// Waits for the calls that run by themselves.
    pub(crate) async fn finish(&self) {
        let mut detached = std::mem::take(&mut *self.detached.lock());
        while detached.join_next().await.is_some() {}
    }
}

/// The answer of a call, for one who waits for it in a future of its own, whoever runs it. `begin` is given where the answer
/// goes of one that runs by itself.
pub(crate) async fn awaited(
    begin: impl FnOnce(oneshot::Sender<Result<Streamed, Status>>) -> Result<Begun, Status>,
) -> Result<Streamed, Status> {
    let (answered, answer) = oneshot::channel();
    match begin(answered)? {
        Begun::Run(execution) => execution.await,
        Begun::Detached(context) => Waiting { context: Some(context), answer }.await,
        Begun::Attached(answer) => attached(answer).await,
        Begun::Replayed(result) => result.map(Streamed::from),
        #[cfg(feature = "tower")]
        Begun::Layered(call) => call.await,
    }
}

/// Waits for a call that runs by itself, and tells it when nobody waits any more.
struct Waiting {
    /// `None` once the call has answered.
    context: Option<Context>,
    answer: oneshot::Receiver<Result<Streamed, Status>>,
}

impl Future for Waiting {
    type Output = Result<Streamed, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| {
            self.context = None;
            answer.unwrap_or_else(|_| {
                let message = "the runtime that ran the call has ended";
                Err(Status::new(Reason::ConnectionLost, Executed::Unknown, message))
            })
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.context.iter().for_each(Context::cancel);
    }
}

/// The answer of a request that ran already when the call came.
pub(crate) async fn attached(answer: oneshot::Receiver<Result<Answer, Status>>) -> Result<Streamed, Status> {
    let cut_short = |_| {
        let message = "the request was cut short, and what it did is not known";
        Err(Status::new(Reason::OutcomeUnknown, Executed::Unknown, message))
    };
    answer.await.unwrap_or_else(cut_short).map(Streamed::from)
}

/// A keyed call whose record is in a store, until that has said what is to be done.
struct Claimed {
    route: Arc<Route>,
    admission: Arc<Admission>,
    codec: Codec,
    context: Context,
    arguments: Body,
}

impl Claimed {
    async fn run(self, claiming: Box<Claiming>) -> Result<Streamed, Status> {
        let Self { route, admission, codec, context, arguments } = self;
        let result = match claiming.ask().await {
            Begin::Run(ticket) => {
                ticket.record_of(codec).into_iter().for_each(|record| context.set_record(record));
                let turn = admission.enter();
                let made =
                    turn.and_then(|turn| Execution::new(&route, codec, context.clone(), arguments, turn));
                match made {
                    Ok(execution) => return keyed(execution, ticket).await,
                    Err(status) => {
                        ticket.finish(Err(&status)).await;
                        Err(status)
                    }
                }
            }
            Begin::Replay(result) => result.map(Streamed::from),
            Begin::Refuse(status) => Err(status),
            Begin::Attach(answer) => attached(answer).await,
            Begin::Ask(_) => unreachable!("a store that has been asked has answered"),
        };
        // No handler runs that would give them back.
        drop(context.take_places());
        result
    }
}

/// Runs a request, and remembers its answer before it is given. One that ends without having run, because nobody waited for
/// it any more when its turn came, leaves no record.
async fn keyed(execution: Execution, ticket: Ticket) -> Result<Streamed, Status> {
    if ticket.runs_again() {
        execution.context().set_runs_again();
    }
    let result = tokio::select! {
        biased;
        result = execution => result,
        () = ticket.renewed() => unreachable!("it is renewed for as long as it runs"),
    };
    ticket.finish(result.as_ref().map(|streamed| &streamed.answer)).await;
    result
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

/// A call that outlives its caller: the caller's deadline is not that of the calls it makes.
fn unbounded(mut call: Incoming) -> Incoming {
    call.about.deadline = None;
    call
}

/// Whoever gives an id relies on a repeat being recognised, and here it would not be.
fn not_keyed() -> Status {
    let message = "the call carries a request id, and the server's method is not keyed: a repeat would run again; \
                   do both ends have the same trait?";
    Status::new(Reason::RequestIdReused, Executed::No, message)
}

fn request_id(call: &Incoming) -> Result<Uuid, Status> {
    call.about.request_id.ok_or_else(|| {
        let message = "the method is keyed, and the call carries no request id";
        Status::new(Reason::UndecodableArguments, Executed::No, message)
    })
}
