//! A call in flight: waits for the answer, and cancels the call when nobody waits any more.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    caller::Answer,
    connection::{Handle, Waiter},
};
use crate::{status::Status, wire::StreamId};

/// The future of one call on one connection.
///
/// It owns the call's slot from the moment the call is queued. Dropping it at any point gives the slot back; if the answer is
/// not in yet, the peer is told that nobody waits. Taking the answer and giving the slot back happen under one lock, so an
/// answer can neither be taken twice nor meet the next call of the slot.
#[derive(Debug)]
pub(super) struct InFlight {
    connection: Handle,
    id: StreamId,
    done: bool,
}

impl InFlight {
    pub(super) fn new(connection: Handle, id: StreamId) -> Self {
        Self { connection, id, done: false }
    }
}

impl Future for InFlight {
    type Output = Result<Answer, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut state = this.connection.shared().lock();
        let waiter = &mut state.extra.waiters[this.id.slot()];
        match waiter {
            Waiter::Answered(_) => {
                let Waiter::Answered(result) = std::mem::replace(waiter, Waiter::Nobody) else {
                    unreachable!("the variant was just matched")
                };
                state.connection.close(this.id);
                this.done = true;
                Poll::Ready(result)
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
