//! A server's end of a connection: calls come in, are run, and answered.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::oneshot,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    execution::Execution,
    router::{Route, Router},
};
use crate::{
    client::caller::Answer,
    codec::Codec,
    context::Context,
    descriptor::Idempotency,
    driver::{Driver, End, Shared, State},
    idempotency::{Begin, Cache, Key, Ticket},
    status::{Executed, Reason, Status},
    transport::BoxStream,
    wire::{CloseReason, Connection, IncomingCall, Limits, Output, Role, StreamId},
};

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) router: Router,
    pub(crate) cache: Arc<Cache>,
    pub(crate) limits: Limits,
    /// Keyed calls being run. They outlive their connections, and end with the server.
    keyed: Mutex<JoinSet<()>>,
}

impl Services {
    pub(crate) fn new(router: Router, cache: Arc<Cache>, limits: Limits) -> Arc<Self> {
        Arc::new(Self { router, cache, limits, keyed: Mutex::default() })
    }

    /// Runs a task that no caller can end.
    fn spawn_keyed(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut keyed = self.keyed.lock();
        while keyed.try_join_next().is_some() {}
        keyed.spawn(task);
    }

    /// Waits for the keyed calls that are being run.
    pub(crate) async fn finish(&self) {
        let mut keyed = std::mem::take(&mut *self.keyed.lock());
        while keyed.join_next().await.is_some() {}
    }
}

/// A connection that is being served, as seen from outside.
#[derive(Debug, Clone)]
pub(crate) struct Served(Arc<Shared<()>>);

impl Served {
    /// Takes up a connection; the future serves it until it ends.
    pub(crate) fn start(
        stream: BoxStream,
        peer: SocketAddr,
        services: Arc<Services>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let now = Instant::now().into_std();
        let shared = Shared::new(Connection::new(Role::Acceptor, Codec::default(), services.limits, now), ());
        let end = ServerEnd {
            calls: Calls {
                shared: Arc::clone(&shared),
                services,
                peer,
                codec: Codec::default(),
                running: Vec::new(),
            },
            called: Vec::new(),
            answers: Vec::new(),
        };
        (Self(Arc::clone(&shared)), Driver::new(stream, shared, end))
    }

    /// Takes no new calls. The client closes the connection when those under way are done.
    pub(crate) fn drain(&self) {
        self.0.with(|state| state.connection.go_away("it is shutting down"));
    }

    /// Ends the connection if nothing is under way on it.
    pub(crate) fn close_if_idle(&self) {
        if self.0.lock().connection.is_idle() {
            self.close();
        }
    }

    /// Ends the connection at once.
    pub(crate) fn close(&self) {
        self.0.with(|state| state.connection.fail(CloseReason::ShutDown));
        self.0.wake_driver();
    }
}

/// The server's part of the driver.
struct ServerEnd {
    calls: Calls,
    /// Kept for their memory: empty between two uses.
    called: Vec<IncomingCall>,
    answers: Vec<(StreamId, Result<Answer, Status>)>,
}

impl End for ServerEnd {
    type Extra = ();

    fn handle_outputs(&mut self, mut state: MutexGuard<'_, State<()>>) {
        while let Some(output) = state.connection.poll_output() {
            match output {
                Output::Called(call) => self.called.push(call),
                Output::Abandoned(id) => self.calls.abort(id),
                Output::Ready { codec } => self.calls.codec = codec,
                Output::Closed(reason) => self.calls.end(&reason),
                Output::Answered { .. } | Output::GoingAway => {}
            }
        }
        // A call may have been given up in the same read that brought it: then it is not begun.
        self.called.retain(|call| state.connection.is_running(call.id));
        if self.called.is_empty() {
            return;
        }
        drop(state);
        self.begin();
        let mut state = self.calls.shared.lock();
        self.answers.drain(..).for_each(|(id, result)| state.connection.reply(id, result));
    }

    fn is_unused(&self) -> bool {
        false
    }

    fn is_held_up(&self) -> bool {
        !self.called.is_empty()
    }
}

impl ServerEnd {
    /// Begins the calls that have come, until their answers are as many bytes as may wait to be sent. The others are begun
    /// when the client has read.
    fn begin(&mut self) {
        let Self { calls, called, answers } = self;
        let (mut begun, mut bytes) = (0, 0);
        for call in called.iter() {
            if bytes > calls.services.limits.unsent_bytes_max {
                break;
            }
            begun += 1;
            let result = calls.begin(call).unwrap_or_else(|status| Some(Err(status)));
            answers.extend(result.map(|result| {
                bytes += result.as_ref().map_or(0, |answer| answer.len());
                (call.id, result)
            }));
        }
        called.drain(..begun);
    }
}

/// The calls of one connection that are being run.
struct Calls {
    shared: Arc<Shared<()>>,
    services: Arc<Services>,
    peer: SocketAddr,
    codec: Codec,
    /// The tasks of calls that a cancellation ends, by the slot of the call. One that has finished stays until the slot's
    /// next call.
    running: Vec<Option<(StreamId, AbortHandle)>>,
}

impl Calls {
    /// Begins a call. What can be answered at once is; the rest is answered by a task.
    fn begin(&mut self, call: &IncomingCall) -> Result<Option<Result<Answer, Status>>, Status> {
        let route = Arc::clone(self.services.router.find(call.head.method)?);
        if route.idempotency == Idempotency::Keyed {
            return self.begin_keyed(&route, call);
        }
        let mut execution = self.execution(&route, call, call.deadline)?;
        if route.cost.is_cheap()
            && let Some(result) = execution.poll_inline()
        {
            return Ok(Some(result));
        }
        self.spawn(call.id, execution);
        Ok(None)
    }

    /// Begins a call that may be a repeat.
    fn begin_keyed(
        &mut self,
        route: &Arc<Route>,
        call: &IncomingCall,
    ) -> Result<Option<Result<Answer, Status>>, Status> {
        let Some(request_id) = call.head.request_id else {
            let message = "the method is keyed, and the call carries no request id";
            return Err(Status::new(Reason::UndecodableArguments, Executed::No, message));
        };
        let key = Key { method: call.head.method, request_id };
        match self.services.cache.begin(key, self.codec, &call.payload) {
            // The execution outlives its caller, so the caller's deadline is not that of the calls it makes.
            Begin::Run(ticket) => match self.execution(route, call, None) {
                Ok(execution) => self.spawn_keyed(call.id, execution, ticket),
                Err(status) => {
                    ticket.complete(&Err(status.clone()));
                    return Err(status);
                }
            },
            Begin::Attach(answer) => self.attach(call.id, answer),
            Begin::Replay(result) => return Ok(Some(result)),
            Begin::Refuse(status) => return Err(status),
        }
        Ok(None)
    }

    fn execution(
        &self,
        route: &Arc<Route>,
        call: &IncomingCall,
        deadline: Option<std::time::Instant>,
    ) -> Result<Execution, Status> {
        let request_id = call.head.request_id;
        let context = Context { peer: Some(self.peer), deadline, request_id };
        Execution::new(route, self.codec, context, call.payload.clone())
    }

    /// Runs a call in a task of its own, which ends when the caller gives up.
    fn spawn(
        &mut self,
        id: StreamId,
        execution: impl Future<Output = Result<Answer, Status>> + Send + 'static,
    ) {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            let result = execution.await;
            shared.with(|state| state.connection.reply(id, result));
        });
        if self.running.len() <= id.slot() {
            self.running.resize_with(id.slot() + 1, || None);
        }
        if let Some((_, old)) = self.running[id.slot()].replace((id, task.abort_handle())) {
            // Finished long ago, as the slot is free; ended here if it should not be.
            old.abort();
        }
    }

    /// Runs a keyed call in a task that its caller cannot end: whoever repeats the call is to find its answer.
    fn spawn_keyed(&self, id: StreamId, execution: Execution, ticket: Ticket) {
        let shared = Arc::clone(&self.shared);
        self.services.spawn_keyed(async move {
            let result = execution.await;
            ticket.complete(&result);
            shared.with(|state| state.connection.reply(id, result));
        });
    }

    /// Waits for the answer of the same request, which is running. Giving up ends the wait and not the request.
    fn attach(&mut self, id: StreamId, answer: oneshot::Receiver<Result<Answer, Status>>) {
        self.spawn(id, async move {
            answer.await.unwrap_or_else(|_| {
                let message = "the request was cut short, and what it did is not known";
                Err(Status::new(Reason::AlreadyCompleted, Executed::Unknown, message))
            })
        });
    }

    /// Ends the task of a call that nobody waits for.
    fn abort(&mut self, id: StreamId) {
        if let Some(slot) = self.running.get_mut(id.slot())
            && slot.as_ref().is_some_and(|(running, _)| *running == id)
            && let Some((_, task)) = slot.take()
        {
            task.abort();
        }
    }

    fn end(&mut self, reason: &CloseReason) {
        match reason {
            CloseReason::Ended | CloseReason::ShutDown => {
                tracing::debug!(peer = %self.peer, %reason, "connection closed");
            }
            _ => tracing::info!(peer = %self.peer, %reason, "connection closed"),
        }
        self.abort_all();
    }

    fn abort_all(&mut self) {
        self.running.drain(..).flatten().for_each(|(_, task)| task.abort());
    }
}

impl Drop for Calls {
    /// However the connection's task ends, nobody waits for its calls any more.
    fn drop(&mut self) {
        self.abort_all();
    }
}
