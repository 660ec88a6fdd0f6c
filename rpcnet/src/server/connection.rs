//! A server's end of a connection: calls come in, are run, and answered.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::MutexGuard;
use tokio::{task::AbortHandle, time::Instant};

use super::services::{Begun, Incoming, Services, attached};
use crate::{
    body::Streamed,
    client::caller::Answer,
    codec::Codec,
    context::{About, Context},
    driver::{Driver, End, Shared, State},
    status::Status,
    transport::BoxStream,
    wire::{CloseReason, Connection, IncomingCall, Output, Role, StreamId},
};

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
    /// The calls that a cancellation concerns, by their slots. One that has finished stays until the slot's next call.
    running: Vec<Option<(StreamId, Running)>>,
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

fn answer(shared: &Shared<()>, id: StreamId, result: Result<Streamed, Status>) {
    shared.with(|state| state.connection.reply(id, result.map(|streamed| streamed.answer)));
}

impl Calls {
    /// Begins a call. What can be answered at once is; the rest is answered by a task.
    fn begin(&mut self, call: &IncomingCall) -> Result<Option<Result<Answer, Status>>, Status> {
        let (shared, id) = (Arc::clone(&self.shared), call.id);
        let answered = move |result: Result<Streamed, Status>| answer(&shared, id, result);
        match self.services.begin(self.incoming(call), answered)? {
            Begun::Run(mut execution) => {
                if execution.is_cheap()
                    && let Some(result) = execution.poll_inline()
                {
                    return Ok(Some(result.map(|streamed| streamed.answer)));
                }
                self.spawn(id, execution);
            }
            Begun::Detached(context) => self.remember(id, Running::Detached(context)),
            Begun::Attached(answer) => self.spawn(id, attached(answer)),
            Begun::Replayed(result) => return Ok(Some(result)),
        }
        Ok(None)
    }

    fn incoming(&self, call: &IncomingCall) -> Incoming {
        let about = About {
            peer: Some(self.peer),
            deadline: call.deadline,
            request_id: call.head.request_id,
            ..About::default()
        };
        Incoming {
            method: call.head.method,
            streaming: false,
            codec: self.codec,
            about,
            arguments: call.payload.clone().into(),
        }
    }

    /// Runs a call in a task of its own, which ends when the caller gives up.
    fn spawn(
        &mut self,
        id: StreamId,
        execution: impl Future<Output = Result<Streamed, Status>> + Send + 'static,
    ) {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move { answer(&shared, id, execution.await) });
        self.remember(id, Running::Task(task.abort_handle()));
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
