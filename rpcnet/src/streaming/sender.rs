//! The writing end of a stream that is fed by hand.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Streaming;
use crate::status::{Executed, Reason, Status};

/// Feeds a stream made by [`Streaming::channel`].
///
/// The stream is complete only when it is [finished](Self::finish). A sender that is dropped before, because its task
/// failed or was cancelled, cuts it: half of an upload must not look like the whole.
///
/// ```
/// # use rpcnet::Streaming;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, mut numbers) = Streaming::channel(8);
/// tokio::spawn(async move {
///     for number in 1..=3 {
///         if sender.send(number).await.is_err() {
///             return; // nobody reads any more
///         }
///     }
///     sender.finish();
/// });
/// assert_eq!(numbers.next().await.transpose()?, Some(1));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct StreamSender<T> {
    items: mpsc::Sender<T>,
    end: Arc<Mutex<Result<(), Status>>>,
}

/// The reader of a stream has gone: nobody wants its items.
///
/// ```
/// use rpcnet::Streaming;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (sender, reader) = Streaming::channel(1);
/// drop(reader);
/// // Work for a stream that nobody reads can end here.
/// assert!(sender.send(1).await.is_err());
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream's reader has gone")]
pub struct ReaderGone;

impl<T> StreamSender<T> {
    /// Sends an item, once there is room for it. A future that is dropped has sent nothing.
    ///
    /// # Errors
    ///
    /// When nobody reads the stream any more.
    pub async fn send(&self, item: T) -> Result<(), ReaderGone> {
        self.items.send(item).await.map_err(|_| ReaderGone)
    }

    /// Says that the stream is complete.
    pub fn finish(self) {
        *self.end.lock() = Ok(());
    }

    /// Cuts the stream: its reader gets this status after the items that were sent.
    pub fn fail(self, status: Status) {
        *self.end.lock() = Err(status);
    }

    /// Waits until nobody reads the stream any more.
    pub async fn closed(&self) {
        self.items.closed().await;
    }
}

pub(super) fn channel<T: Send + 'static>(capacity: usize) -> (StreamSender<T>, Streaming<T>) {
    let (sender, items) = mpsc::channel(capacity.max(1));
    let message = "its sender was dropped before `finish`";
    let end = Arc::new(Mutex::new(Err(Status::new(Reason::StreamCut, Executed::Yes, message))));
    let stream = Channel { items, end: Arc::clone(&end) };
    (StreamSender { items: sender, end }, Streaming::from_results(stream))
}

/// The reading end.
struct Channel<T> {
    items: mpsc::Receiver<T>,
    /// How the stream ends, once there is nobody to send any more.
    end: Arc<Mutex<Result<(), Status>>>,
}

impl<T> Stream for Channel<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.items.poll_recv(cx));
        Poll::Ready(item.map(Ok).or_else(|| self.end.lock().clone().err().map(Err)))
    }
}
