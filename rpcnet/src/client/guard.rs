//! A call in flight: waits for the answer, and cancels the call when nobody waits any more.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::connection::{Handle, Waiter};
use crate::{
    body::Streamed,
    driver::streams::{Incoming, Line},
    status::Status,
    streaming::Streaming,
    wire::StreamId,
};

/// The future of one call on one connection.
///
/// It owns the call's slot from the moment the call is queued. Dropping it at any point gives the slot back; if the answer is
/// not in yet, the peer is told that nobody waits. Taking the answer and giving the slot back happen under one lock, so an
/// answer can neither be taken twice nor meet the next call of the slot. If a stream follows the answer, the slot is its
/// reader's from then on.
#[derive(Debug)]
pub(super) struct InFlight {
    connection: Handle,
    id: StreamId,
    /// The answer wakes whoever made the call, which has not waited yet.
    fresh: bool,
    done: bool,
}

impl InFlight {
    /// A call whose answer wakes whoever makes it, and who will poll it in the same poll.
    pub(super) fn new(connection: Handle, id: StreamId) -> Self {
        Self { connection, id, fresh: true, done: false }
    }

    /// Sends what the call streams.
    pub(super) fn send(&self, items: Streaming<Bytes>) {
        self.connection.send(self.id, items);
    }
}

impl Future for InFlight {
    type Output = Result<Streamed, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if std::mem::take(&mut this.fresh) {
            return Poll::Pending;
        }
        let mut state = this.connection.shared().lock();
        let waiter = &mut state.extra.waiters[this.id.slot()];
        match waiter {
            Waiter::Answered(..) => {
                let Waiter::Answered(result, items) = std::mem::replace(waiter, Waiter::Nobody) else {
                    unreachable!("the variant was just matched")
                };
                this.done = true;
                if !items {
                    state.connection.close(this.id);
                    return Poll::Ready(result.map(Streamed::from));
                }
                drop(state);
                let items = Streaming::from_results(Incoming::new(this.connection.clone(), this.id));
                Poll::Ready(result.map(|answer| Streamed { answer, items: Some(items) }))
            }
            Waiter::Waiting(waker) if waker.will_wake(cx.waker()) => Poll::Pending,
            Waiter::Waiting(_) | Waiter::Nobody => {
                *waiter = Waiter::Waiting(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.done {
            self.connection.shared().with(|state| {
                state.extra.waiters[self.id.slot()] = Waiter::Nobody;
                state.connection.close(self.id);
            });
        }
    }
}
