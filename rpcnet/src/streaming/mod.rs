//! Streams of values, as arguments and as answers: pulled by their reader, and never cut short unnoticed.

mod sender;
mod source;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

pub use sender::{ReaderGone, StreamSender};
pub(crate) use source::{Each, Source};

use crate::status::Status;

/// Values that come one after another, of a call's argument or of its answer.
///
/// `Streaming<T>` is an argument of a method (the client streams), the whole `Ok` side of its answer (the server streams),
/// or both. Each item is a message of its own.
///
/// ```
/// use rpcnet::prelude::*;
///
/// #[rpc_trait]
/// trait Numbers {
///     async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>>;
///     async fn sum(&self, numbers: Streaming<u32>) -> rpcnet::Result<u32>;
/// }
///
/// struct Machine;
///
/// impl Numbers for Machine {
///     async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>> {
///         Ok(Streaming::iter(1..=to))
///     }
///     async fn sum(&self, mut numbers: Streaming<u32>) -> rpcnet::Result<u32> {
///         let mut sum = 0;
///         while let Some(number) = numbers.next().await {
///             sum += number?; // an error: the stream was cut, and the sum is not to be trusted
///         }
///         Ok(sum)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let numbers = NumbersClient::local(Machine);
/// let counted = numbers.count(4).await?;
/// assert_eq!(numbers.sum(counted).await?, 10);
/// # Ok(()) }
/// ```
///
/// # How a stream ends
///
/// - **Complete**: [`next`](Self::next) gives `None`. The writer said that this was all.
/// - **Cut**: `next` gives an error, and `None` from then on. The writer failed, or went away, or the connection broke, or
///   the deadline passed. Whoever reads cannot take it for the whole.
/// - **Dropped** by its reader: the writer is told, and stops.
///
/// # Cost
///
/// One allocation a stream. Items are produced as they are read: a slow reader slows its writer down, and nobody else.
#[must_use = "a stream does nothing unless it is read"]
pub struct Streaming<T> {
    /// `None` once it has ended: what it was made of is released then.
    items: Option<Items<T>>,
}

/// What a stream is made of.
type Items<T> = Pin<Box<dyn Source<T>>>;

impl<T> Streaming<T> {
    /// The items of a stream. It is complete when the stream ends.
    pub fn new(items: impl Stream<Item = T> + Send + 'static) -> Self
    where
        T: 'static,
    {
        Self::from_results(Whole(Box::pin(items)))
    }

    /// The items of a stream that may fail. The first error cuts it.
    pub fn from_results(items: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Self {
        Self::from_source(items)
    }

    pub(crate) fn from_source(items: impl Source<T> + 'static) -> Self {
        Self { items: Some(Box::pin(items)) }
    }

    /// The items of an iterator.
    pub fn iter<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::from_results(Iter(items.into_iter()))
    }

    /// A complete stream without items.
    pub fn empty() -> Self {
        Self { items: None }
    }

    /// A stream and the end that feeds it. At most `capacity` items, one at least, wait between them; a writer that is
    /// faster waits.
    pub fn channel(capacity: usize) -> (StreamSender<T>, Self)
    where
        T: Send + 'static,
    {
        sender::channel(capacity)
    }

    /// The next item; an error if the stream was cut; `None` when it has ended.
    ///
    /// Dropping the future loses no item.
    pub async fn next(&mut self) -> Option<Result<T, Status>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Hands all items that are there to `take`, until that is false.
    pub(crate) fn poll_each(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(T) -> bool) -> Poll<Each> {
        let Some(items) = &mut self.items else { return Poll::Ready(Each::Ended(Ok(()))) };
        let each = ready!(items.as_mut().poll_each(cx, take));
        if let Each::Ended(_) = each {
            self.items = None;
        }
        Poll::Ready(each)
    }

    /// The stream with every item changed by a function that may fail: its error cuts the stream.
    pub fn try_map<U, F>(self, change: F) -> Streaming<U>
    where
        T: 'static,
        F: FnMut(T) -> Result<U, Status> + Send + Unpin + 'static,
    {
        Streaming::from_source(TryMap { items: self, change })
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        let item = ready!(items.as_mut().poll_item(cx));
        if !matches!(item, Some(Ok(_))) {
            self.items = None;
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.as_ref().map_or((0, Some(0)), |items| items.hint())
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").field("ended", &self.items.is_none()).finish_non_exhaustive()
    }
}

/// The items of a stream that cannot fail.
struct Whole<S>(Pin<Box<S>>);

impl<S: Stream> Stream for Whole<S> {
    type Item = Result<S::Item, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|item| item.map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// The items of an iterator, all there already.
struct Iter<I>(I);

impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = Result<I::Item, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// The items of a stream, each changed by a function that may fail.
struct TryMap<T, F> {
    items: Streaming<T>,
    change: F,
}

impl<T, U, F: FnMut(T) -> Result<U, Status> + Send + Unpin> Source<U> for TryMap<T, F> {
    fn poll_item(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<U, Status>>> {
        let item = ready!(Pin::new(&mut self.items).poll_next(cx));
        Poll::Ready(item.map(|item| item.and_then(&mut self.change)))
    }

    fn poll_each(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        take: &mut dyn FnMut(U) -> bool,
    ) -> Poll<Each> {
        let Self { items, change } = &mut *self;
        let mut failed = None;
        let each = items.poll_each(cx, &mut |item| match change(item) {
            Ok(item) => take(item),
            Err(status) => {
                failed = Some(status);
                false
            }
        });
        match failed {
            Some(status) => Poll::Ready(Each::Ended(Err(status))),
            None => each,
        }
    }

    fn hint(&self) -> (usize, Option<usize>) {
        // An error may end it sooner.
        (0, self.items.size_hint().1)
    }
}

#[cfg(test)]
mod tests;
