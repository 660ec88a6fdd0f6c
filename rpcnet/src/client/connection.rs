//! A client's end of a connection: who waits for which answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use parking_lot::MutexGuard;
use tokio::time::Instant;

use super::{caller::Answer, guard::InFlight};
use crate::{
    codec::Codec,
    driver::{
        Driver, End, Shared, State,
        streams::{Line, Outgoing},
    },
    status::Status,
    streaming::Streaming,
    transport::BoxStream,
    wire::{Call, CloseReason, Connection, Limits, Output, Role, StreamId},
};

/// A hold on a connection. The connection goes when there is none and nothing is left to send.
#[derive(Debug)]
pub(super) struct Handle {
    shared: Arc<Shared<Waiting>>,
    holds: Arc<AtomicUsize>,
}

/// A call that was not taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: Status,
    /// Whether the connection takes others.
    pub(super) open: bool,
}

/// What a client keeps beside the protocol's state.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Who waits for the answer, by the slot of the call.
    pub(super) waiters: Vec<Waiter>,
    /// Whoever waits for the handshake.
    greeting: Option<Waker>,
    handshake: Option<Result<(), CloseReason>>,
    going_away: bool,
    /// When the handshake had succeeded: the server's end was there by then.
    open_since: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum Waiter {
    Nobody,
    Waiting(Waker),
    /// The answer, and whether a stream follows it.
    Answered(Result<Answer, Status>, bool),
}

impl Handle {
    /// Starts a connection over a stream, and a task that drives it.
    pub(super) fn start(stream: BoxStream, codec: Codec, limits: Limits) -> Self {
        let now = Instant::now().into_std();
        let shared = Shared::new(Connection::new(Role::Connector, codec, limits, now), Waiting::default());
        let holds = Arc::new(AtomicUsize::new(1));
        let end = ClientEnd { holds: Arc::clone(&holds), going_away: false, wakers: Vec::new() };
        tokio::spawn(Driver::new(stream, Arc::clone(&shared), end));
        Self { shared, holds }
    }

    /// Makes a call, and remembers whom its answer wakes. What it streams, if anything, is sent by a task of its own.
    pub(super) fn call(self, now: Instant, call: &mut Call, waker: &Waker) -> Result<InFlight, Refused> {
        let opened = self.shared.with(|state| {
            if let (Some(repeat), Some(open)) = (&mut call.head.repeat, state.extra.open_since) {
                repeat.connected = now.saturating_duration_since(open);
            }
            let id = state.connection.open(now.into_std(), call);
            let id = id.map_err(|status| Refused { status, open: state.connection.takes_calls() })?;
            let waiters = &mut state.extra.waiters;
            if waiters.len() <= id.slot() {
                waiters.resize_with(id.slot() + 1, || Waiter::Nobody);
            }
            waiters[id.slot()] = Waiter::Waiting(waker.clone());
            Ok(id)
        });
        opened.map(|id| InFlight::new(self, id))
    }

    /// Sends the stream of a call.
    pub(super) fn send(&self, id: StreamId, items: Streaming<Bytes>) {
        tokio::spawn(Outgoing::new(self.clone(), id, items));
    }

    /// Whether the connection takes calls.
    pub(super) fn is_open(&self) -> bool {
        self.shared.lock().connection.takes_calls()
    }

    /// Waits until the handshake has succeeded or failed.
    pub(super) fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let mut state = self.shared.lock();
        match &state.extra.handshake {
            Some(result) => Poll::Ready(result.clone()),
            None => {
                state.extra.greeting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Ends the connection: calls in flight fail.
    pub(super) fn shut_down(&self) {
        let mut wakers = Vec::new();
        let mut state = self.shared.lock();
        state.connection.fail(CloseReason::ShutDown);
        state.handle_outputs(&mut wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.shared.wake_driver();
    }
}

impl Line for Handle {
    type Extra = Waiting;

    fn shared(&self) -> &Shared<Waiting> {
        &self.shared
    }

    fn handle_reader_gone(&self, id: StreamId) {
        self.shared.with(|state| state.connection.close(id));
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        self.holds.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), holds: Arc::clone(&self.holds) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.wake_driver();
        }
    }
}

/// The client's part of the driver.
struct ClientEnd {
    holds: Arc<AtomicUsize>,
    /// The server takes no new calls: whoever holds the connection will open another.
    going_away: bool,
    /// Kept for its memory: empty between two uses.
    wakers: Vec<Waker>,
}

impl End for ClientEnd {
    type Extra = Waiting;

    fn handle_outputs(&mut self, mut state: MutexGuard<'_, State<Waiting>>) {
        state.handle_outputs(&mut self.wakers);
        self.going_away = state.extra.going_away;
        drop(state);
        self.wakers.drain(..).for_each(Waker::wake);
    }

    fn is_unused(&self) -> bool {
        self.going_away || self.holds.load(Ordering::Acquire) == 0
    }
}

impl State<Waiting> {
    /// Hands answers to whoever waits for them; who is to be woken once the lock is released goes into `wakers`.
    fn handle_outputs(&mut self, wakers: &mut Vec<Waker>) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Answered { id, result, items } => {
                    let waiter = &mut self.extra.waiters[id.slot()];
                    let answered = Waiter::Answered(result, items);
                    if let Waiter::Waiting(waker) = std::mem::replace(waiter, answered) {
                        wakers.push(waker);
                    }
                }
                Output::Ready { .. } => {
                    self.extra.open_since = Some(Instant::now());
                    self.shaken(Ok(()), wakers);
                }
                Output::Closed(reason) => {
                    wakers.extend(self.streams.all());
                    self.shaken(Err(reason), wakers);
                }
                Output::Readable(_) | Output::Writable(_) => wakers.extend(self.streams.concerned(&output)),
                Output::GoingAway => self.extra.going_away = true,
                // A connector takes no calls: the protocol's core has ended the connection of whoever made one.
                Output::Called(_) | Output::Abandoned(_) => {}
            }
        }
    }

    fn shaken(&mut self, result: Result<(), CloseReason>, wakers: &mut Vec<Waker>) {
        self.extra.handshake.get_or_insert(result);
        wakers.extend(self.extra.greeting.take());
    }
}
