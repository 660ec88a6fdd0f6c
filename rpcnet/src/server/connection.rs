//! A server's end of a connection: calls come in, are run, and answered.

use std::{collections::VecDeque, sync::Arc, task::Waker};

use bytes::Bytes;
use parking_lot::MutexGuard;
use tokio::{sync::Semaphore, task::AbortHandle, time::Instant};

use super::services::{Begun, Incoming, Services, attached};
use crate::{
    body::{Body, Streamed},
    client::caller::Answer,
    codec::Codec,
    context::{About, Context, Origin},
    driver::{
        Driver, End, Shared, State,
        streams::{self, Line, Outgoing},
    },
    idempotency::Repeat,
    status::{Executed, Reason, Status},
    streaming::Streaming,
    transport::{Accepted, Peer},
    wire::{CloseReason, Connection, IncomingCall, Output, RepeatHead, Role, StreamId},
};

/// A connection that is being served, as seen from outside.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    shared: Arc<Shared<()>>,
    permits: Arc<Semaphore>,
}

impl Served {
    /// Takes up a connection; the future serves it until it ends, and the last of its handlers has stopped: whoever could run
    /// more of them by connecting again would have no bound.
    pub(crate) fn start(
        Accepted { stream, peer, identity }: Accepted,
        services: Arc<Services>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let now = Instant::now().into_std();
        let shared = Shared::new(Connection::new(Role::Acceptor, Codec::default(), services.limits, now), ());
        let calls_max = services.limits.calls_max.min(StreamId::SLOTS_MAX);
        let permits = Arc::new(Semaphore::new(calls_max as usize));
        let end = ServerEnd {
            calls: Calls {
                shared: Arc::clone(&shared),
                services,
                origin: Arc::new(Origin { peer: peer.socket_addr(), identity }),
                peer,
                codec: Codec::default(),
                accepted: now,
                permits: Arc::clone(&permits),
                running: Vec::new(),
                fills_thread: false,
            },
            called: VecDeque::new(),
            wakers: Vec::new(),
        };
        let served = Self { shared: Arc::clone(&shared), permits: Arc::clone(&permits) };
        let driver = Driver::new(stream, shared, end);
        let serve = async move {
            driver.await;
            // An error says that nobody is waited for any more.
            let _ = permits.acquire_many(calls_max).await;
        };
        (served, serve)
    }

    /// Takes no new calls. The client closes the connection when those under way are done.
    pub(crate) fn drain(&self) {
        self.shared.with(|state| state.connection.go_away("it is shutting down"));
    }

    /// Ends the connection if nothing is under way on it.
    pub(crate) fn close_if_idle(&self) {
        let state = self.shared.lock();
        let idle = state.connection.is_closed() || state.connection.is_idle();
        drop(state);
        if idle {
            self.close();
        }
    }

    /// Ends the connection at once.
    pub(crate) fn close(&self) {
        self.shared.with(|state| state.connection.fail(CloseReason::ShutDown));
        self.shared.wake_driver();
        self.permits.close();
    }
}

/// The server's part of the driver.
struct ServerEnd {
    calls: Calls,
    /// Kept for their memory: empty between two uses.
    called: VecDeque<IncomingCall>,
    /// Whoever waited for a stream.
    wakers: Vec<Waker>,
}

impl End for ServerEnd {
    type Extra = ();

    fn handle_outputs(&mut self, mut state: MutexGuard<'_, State<()>>) {
        while let Some(output) = state.connection.poll_output() {
            match output {
                Output::Called(call) => self.called.push_back(call),
                Output::Abandoned(id) => self.calls.abort(id),
                Output::Ready { codec } => self.calls.codec = codec,
                Output::Readable(_) | Output::Writable(_) => {
                    self.wakers.extend(state.streams.concerned(&output));
                }
                Output::Closed(reason) => {
                    self.wakers.extend(state.streams.all());
                    self.calls.end(&reason);
                }
                Output::Answered { .. } | Output::GoingAway => {}
            }
        }
        // A call may have been given up in the same read that brought it: then it is not begun.
        self.called.retain(|call| state.connection.is_running(call.id));
        drop(state);
        self.wakers.drain(..).for_each(Waker::wake);
        if !self.called.is_empty() {
            self.begin();
        }
    }

    fn is_unused(&self) -> bool {
        false
    }

    fn is_held_up(&self) -> bool {
        !self.called.is_empty()
    }

    fn has_filled_thread(&mut self) -> bool {
        std::mem::take(&mut self.calls.fills_thread)
    }
}

impl ServerEnd {
    /// Begins the calls that have come, and sends the answers of those that have one at once, until their answers are as many bytes as may wait to be sent. The others are begun
    /// when the client has read.
    fn begin(&mut self) {
        let Self { calls, called, .. } = self;
        let (mut bytes, mut began) = (0, Instant::now());
        while bytes <= calls.services.limits.unsent_bytes_max
            && let Some(call) = called.pop_front()
        {
            let id = call.id;
            if let Some(result) = calls.begin(call, &mut began).unwrap_or_else(|status| Some(Err(status))) {
                bytes += result.as_ref().map_or(0, |streamed| streamed.answer.len());
                calls.answer(id, result);
            }
        }
    }
}

/// The calls of one connection that are being run.
struct Calls {
    shared: Arc<Shared<()>>,
    services: Arc<Services>,
    peer: Peer,
    /// The peer, for the calls.
    origin: Arc<Origin>,
    codec: Codec,
    /// When the connection was taken up.
    accepted: std::time::Instant,
    /// One for each call that has a handler. A handler that cannot be ended keeps its own when the call is given up, and the
    /// call's slot is free.
    permits: Arc<Semaphore>,
    /// The calls that a cancellation concerns, by their slots. One that has finished stays until the slot's next call.
    running: Vec<Option<(StreamId, Running)>>,
    /// Tasks were begun that may keep the thread.
    fills_thread: bool,
}

/// A call under way.
enum Running {
    /// It ends with this task.
    Task(AbortHandle),
    /// It runs to its end, and may want to know that nobody waits.
    Detached(Context),
}

impl Running {
    /// Nobody waits for the call any more.
    fn abandon(self) {
        match self {
            Running::Task(task) => task.abort(),
            Running::Detached(context) => context.cancel(),
        }
    }
}

/// An answer apart from the stream that follows it.
fn parted(result: Result<Streamed, Status>) -> (Result<Answer, Status>, Option<Streaming<Bytes>>) {
    match result {
        Ok(Streamed { answer, items }) => (Ok(answer), items),
        Err(status) => (Err(status), None),
    }
}

/// The server's end of a connection, for the streams of its calls.
#[derive(Clone)]
struct ServerLine(Arc<Shared<()>>);

impl ServerLine {
    /// Answers a call. What it streams is for the caller to send.
    fn answer(self, id: StreamId, result: Result<Streamed, Status>) -> Option<Outgoing<Self>> {
        let (answer, items) = parted(result);
        let begins = self.0.with(|state| state.connection.reply(id, answer, items.is_some()));
        items.filter(|_| begins).map(|items| Outgoing::new(self, id, items))
    }
}

impl Line for ServerLine {
    type Extra = ();

    fn shared(&self) -> &Shared<()> {
        &self.0
    }

    fn handle_reader_gone(&self, id: StreamId) {
        self.0.with(|state| state.connection.stop_reading(id));
    }
}

impl Calls {
    /// Begins a call. What can be answered at once is; the rest is answered by a task.
    fn begin(
        &mut self,
        call: IncomingCall,
        began: &mut Instant,
    ) -> Result<Option<Result<Streamed, Status>>, Status> {
        let (line, id) = (self.line(), call.id);
        let answered = move |result| {
            line.answer(id, result).map(tokio::spawn);
        };
        match self.services.begin(self.incoming(call)?, answered)? {
            Begun::Run(mut execution) => {
                if execution.is_cheap()
                    && let Some(result) = execution.poll_inline(began)
                {
                    return Ok(Some(result));
                }
                self.fills_thread |= execution.runs_long();
                self.spawn(id, execution);
            }
            Begun::Detached(context) => self.remember(id, Running::Detached(context)),
            Begun::Attached(answer) => self.spawn(id, attached(answer)),
            Begun::Replayed(result) => return Ok(Some(result.map(Streamed::from))),
            #[cfg(feature = "tower")]
            Begun::Layered(mut call) => {
                if call.is_cheap()
                    && let Some(result) = call.poll_inline()
                {
                    return Ok(Some(result));
                }
                self.fills_thread |= call.runs_long();
                self.spawn(id, call);
            }
        }
        Ok(None)
    }

    fn incoming(&self, call: IncomingCall) -> Result<Incoming, Status> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| self.too_many())?;
        let head = call.head;
        let read = |repeat: Box<RepeatHead>| {
            Box::new(Repeat::read(*repeat, self.accepted, Instant::now().into_std()))
        };
        let about = About {
            origin: Some(Arc::clone(&self.origin)),
            deadline: call.deadline,
            request_id: head.request_id,
            repeat: head.repeat.map(read),
            metadata: head.metadata,
            trace: head.trace,
        };
        let items = head.items.then(|| Streaming::from_results(streams::Incoming::new(self.line(), call.id)));
        Ok(Incoming {
            method: head.method,
            streaming: head.streaming,
            fingerprint: head.fingerprint,
            codec: self.codec,
            about,
            arguments: Body { payload: call.payload, items },
            permit: Some(permit),
        })
    }

    fn too_many(&self) -> Status {
        let max = self.services.limits.calls_max;
        let message = format!(
            "handlers of {max} calls run on the connection, of calls that were given up too: as many as the server takes (its \
             `Limits::calls_max`)"
        );
        Status::new(Reason::TooManyCalls, Executed::No, message)
    }

    fn line(&self) -> ServerLine {
        ServerLine(Arc::clone(&self.shared))
    }

    /// Runs a call in a task of its own, which ends when the caller gives up.
    fn spawn(
        &mut self,
        id: StreamId,
        execution: impl Future<Output = Result<Streamed, Status>> + Send + 'static,
    ) {
        let line = self.line();
        let task = tokio::spawn(async move {
            if let Some(stream) = line.answer(id, execution.await) {
                stream.await;
            }
        });
        self.remember(id, Running::Task(task.abort_handle()));
    }

    /// Sends the answer of a call that had one at once: what it was encoded to is gone before the next call's is.
    fn answer(&mut self, id: StreamId, result: Result<Streamed, Status>) {
        let (answer, items) = parted(result);
        let begins = self.shared.lock().connection.reply(id, answer, items.is_some());
        // A stream that nobody wants is dropped without the lock: it may be made of one of this connection.
        if let Some(items) = items.filter(|_| begins) {
            let task = tokio::spawn(Outgoing::new(self.line(), id, items));
            self.remember(id, Running::Task(task.abort_handle()));
        }
    }

    fn remember(&mut self, id: StreamId, running: Running) {
        if self.running.len() <= id.slot() {
            self.running.resize_with(id.slot() + 1, || None);
        }
        if let Some((_, old)) = self.running[id.slot()].replace((id, running)) {
            // Finished long ago, as the slot is free; ended here if it should not be.
            old.abandon();
        }
    }

    /// Ends a call that nobody waits for, if it can be ended.
    fn abort(&mut self, id: StreamId) {
        if let Some(slot) = self.running.get_mut(id.slot())
            && slot.as_ref().is_some_and(|(running, _)| *running == id)
            && let Some((_, running)) = slot.take()
        {
            running.abandon();
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
        self.running.drain(..).flatten().for_each(|(_, running)| running.abandon());
    }
}

impl Drop for Calls {
    /// However the connection's task ends, nobody waits for its calls any more.
    fn drop(&mut self) {
        self.abort_all();
    }
}
