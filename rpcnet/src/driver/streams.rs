//! Streams over a connection: their readers and writers, which are tasks, and the protocol's state, which is under a lock.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_core::Stream;

use super::Shared;
use crate::{
    status::{Executed, Reason, Status},
    streaming::{Each, Streaming},
    wire::{
        Output, StreamId, Writing,
        flow::{Items, Reading},
    },
};

/// An end of a connection as a stream of one of its calls sees it.
pub(crate) trait Line: Send + Unpin + 'static {
    /// What the end keeps beside the connection.
    type Extra;

    /// The connection.
    fn shared(&self) -> &Shared<Self::Extra>;

    /// Nobody reads the peer's stream any more.
    fn handle_reader_gone(&self, id: StreamId);
}

/// Who waits for the streams of a connection, by the slots of their calls.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    readers: Vec<Option<Waker>>,
    writers: Vec<Option<Waker>>,
}

impl Waiting {
    /// Who is to be woken for what happened. Outputs about something else wake nobody.
    pub(crate) fn concerned(&mut self, output: &Output) -> Option<Waker> {
        let (waiting, id) = match output {
            Output::Readable(id) => (&mut self.readers, id),
            Output::Writable(id) => (&mut self.writers, id),
            _ => return None,
        };
        waiting.get_mut(id.slot())?.take()
    }

    /// Everybody: the connection is over.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = Waker> {
        self.readers.drain(..).chain(self.writers.drain(..)).flatten()
    }
}

/// Waits in a slot. Another who waited there for an earlier call is woken, to find out that it is over.
fn wait(waiting: &mut Vec<Option<Waker>>, id: StreamId, cx: &Context<'_>) {
    if waiting.len() <= id.slot() {
        waiting.resize_with(id.slot() + 1, || None);
    }
    let place = &mut waiting[id.slot()];
    if place.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker()))
        && let Some(other) = place.replace(cx.waker().clone())
    {
        other.wake();
    }
}

/// The peer's stream of a call.
pub(crate) struct Incoming<L: Line> {
    line: L,
    id: StreamId,
    batch: Items,
    ended: bool,
}

impl<L: Line> Incoming<L> {
    pub(crate) fn new(line: L, id: StreamId) -> Self {
        Self { line, id, batch: Items::default(), ended: false }
    }
}

impl<L: Line> Stream for Incoming<L> {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { line, id, batch, ended } = &mut *self;
        if let Some(item) = batch.next() {
            return Poll::Ready(Some(Ok(item)));
        }
        let reading = line.shared().with(|state| {
            let reading = state.connection.read(*id, batch);
            if matches!(reading, Reading::Nothing) {
                wait(&mut state.streams.readers, *id, cx);
            }
            reading
        });
        match reading {
            Reading::Items => Poll::Ready(batch.next().map(Ok)),
            Reading::Nothing => Poll::Pending,
            Reading::Ended(end) => {
                *ended = true;
                Poll::Ready(end.err().map(Err))
            }
        }
    }
}

impl<L: Line> Drop for Incoming<L> {
    fn drop(&mut self) {
        self.line.handle_reader_gone(self.id);
    }
}

/// Sends a stream of this end, until it has ended or nobody wants it any more.
///
/// Dropped before, because its task was ended or a user's stream panicked, it cuts what it was sending.
pub(crate) struct Outgoing<L: Line> {
    line: L,
    id: StreamId,
    /// `None` when it is over.
    items: Option<Streaming<Bytes>>,
    queue: Items,
    end: Option<Result<(), Status>>,
}

/// How much is taken from a stream at a time: the lock is paid once for it, and small items share a frame.
const BATCH_ITEMS: usize = 1024;
const BATCH_BYTES: usize = 32 << 10;

impl<L: Line> Outgoing<L> {
    pub(crate) fn new(line: L, id: StreamId, items: Streaming<Bytes>) -> Self {
        Self { line, id, items: Some(items), queue: Items::default(), end: None }
    }

    /// Takes from the stream what is ready. True if there may be more.
    fn fill(&mut self, cx: &mut Context<'_>) -> bool {
        let Self { items: Some(items), queue, end, .. } = self else { return false };
        if end.is_some() || queue.bytes() >= BATCH_BYTES {
            return true;
        }
        let mut taken = 0;
        let each = items.poll_each(cx, &mut |item| {
            queue.push(item);
            taken += 1;
            taken < BATCH_ITEMS && queue.bytes() < BATCH_BYTES
        });
        match each {
            Poll::Ready(Each::Enough) => true,
            Poll::Ready(Each::Ended(result)) => {
                *end = Some(result);
                true
            }
            Poll::Pending => false,
        }
    }

    /// Hands the connection what was taken.
    fn send(&mut self, more: bool, cx: &Context<'_>) -> Writing {
        let Self { line, id, queue, end, .. } = self;
        line.shared().with(|state| {
            let writing = state.connection.write(*id, queue);
            match (writing, end.take()) {
                (Writing::Done, Some(result)) => {
                    state.connection.finish(*id, result);
                    return Writing::Gone;
                }
                (_, taken) => *end = taken,
            }
            if writing == Writing::Wait || writing == Writing::Done && !more {
                wait(&mut state.streams.writers, *id, cx);
            }
            writing
        })
    }
}

impl<L: Line> Future for Outgoing<L> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let more = self.fill(cx);
        match self.send(more, cx) {
            Writing::Gone => {
                self.items = None;
                return Poll::Ready(());
            }
            // The connection writes this batch while the next is made, or the peer would wait for many to be made.
            Writing::Done if more => cx.waker().wake_by_ref(),
            Writing::Done | Writing::Wait => {}
        }
        Poll::Pending
    }
}

impl<L: Line> Drop for Outgoing<L> {
    fn drop(&mut self) {
        if self.items.is_some() {
            let cut =
                Status::new(Reason::StreamCut, Executed::Yes, "its writer was ended before it was complete");
            self.line.shared().with(|state| state.connection.finish(self.id, Err(cut)));
        }
    }
}
