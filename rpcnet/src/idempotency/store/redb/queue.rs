//! Who waits for the disk: all that come while one commit is under way share the next.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{Claim, Claimed, Inner, Outcome, RecordId, StoreError};

/// Something to be written.
#[derive(Debug)]
pub(super) enum Work {
    Claim(Claim),
    End(RecordId, u64, Outcome),
}

type Done = oneshot::Sender<Result<Claimed, StoreError>>;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(Work, Done)>,
    /// Somebody writes, and looks here when they are done.
    writing: bool,
}

impl Queue {
    /// How many wait at most: some seconds' worth of a slow disk. Further ones fail at once.
    const WAITING_MAX: usize = 16_384;
    /// How many share a commit: many enough that a commit's time does not matter, few enough that it stays short.
    const SHARED_MAX: usize = 256;

    fn next(&self) -> Vec<(Work, Done)> {
        let mut state = self.state.lock();
        let many = state.waiting.len().min(Self::SHARED_MAX);
        state.waiting.drain(..many).collect()
    }

    /// Whether there is more to write; otherwise the next who comes writes.
    fn goes_on(&self) -> bool {
        let mut state = self.state.lock();
        state.writing = !state.waiting.is_empty();
        state.writing
    }
}

/// Has something written, and waits until it is durable.
pub(super) async fn work(inner: &Arc<Inner>, work: Work) -> Result<Claimed, StoreError> {
    let (done, written) = oneshot::channel();
    let first = {
        let mut state = inner.queue.state.lock();
        if state.waiting.len() >= Queue::WAITING_MAX {
            return Err(StoreError::Busy(Queue::WAITING_MAX));
        }
        state.waiting.push((work, done));
        !std::mem::replace(&mut state.writing, true)
    };
    if first {
        let writer = Writer(Some(Arc::clone(inner)));
        tokio::task::spawn_blocking(move || writer.run());
    }
    let gone = |_| StoreError::unavailable(std::io::Error::other("the writer of the records has ended"));
    written.await.unwrap_or_else(|error| Err(gone(error)))
}

/// Writes until nothing waits.
struct Writer(Option<Arc<Inner>>);

impl Writer {
    fn run(mut self) {
        let Some(inner) = self.0.clone() else { return };
        let mut inner = Some(inner);
        while let Some(store) = inner.take() {
            let (work, done): (Vec<_>, Vec<_>) = store.queue.next().into_iter().unzip();
            let results = store.commit(&work);
            if store.queue.goes_on() {
                inner = Some(store);
            } else {
                // Let go before anybody is told: whoever drops the store then has closed its file.
                self.0 = None;
                drop(store);
            }
            match results {
                Ok(results) => {
                    done.into_iter().zip(results).for_each(|(done, result)| drop(done.send(result)));
                }
                Err(error) => {
                    let error = StoreError::from(error);
                    done.into_iter().for_each(|done| drop(done.send(Err(error.clone()))));
                }
            }
        }
    }
}

impl Drop for Writer {
    /// It ended before its time: its runtime went before it ran, or the database panicked. Those who wait are told, and the
    /// next begins anew.
    fn drop(&mut self) {
        if let Some(inner) = &self.0 {
            let mut state = inner.queue.state.lock();
            state.writing = false;
            state.waiting.clear();
        }
    }
}
