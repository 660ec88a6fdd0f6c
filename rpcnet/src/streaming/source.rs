//! What a stream is made of: read one item after the other, or many at a time.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::status::Status;

/// Where the items of a stream come from.
///
/// Any `Stream` is one. What stands between a handler and its connection is one of its own, so that an item does not pass
/// through a call of each of them: `poll_each` of the outermost runs the loop of the innermost.
pub(crate) trait Source<T>: Send {
    /// The next item.
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, Status>>>;

    /// Hands all items that are there to `take`, until that is false. Like `poll_item`, not to be called after an end.
    fn poll_each(self: Pin<&mut Self>, cx: &mut Context<'_>, take: &mut dyn FnMut(T) -> bool) -> Poll<Each>;

    fn hint(&self) -> (usize, Option<usize>);
}

/// Why no more items were handed out.
#[derive(Debug)]
pub(crate) enum Each {
    /// Whoever takes them wanted no more.
    Enough,
    /// There are no more: complete, or cut.
    Ended(Result<(), Status>),
}

impl<T, S: Stream<Item = Result<T, Status>> + Send> Source<T> for S {
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, Status>>> {
        Stream::poll_next(self, cx)
    }

    fn poll_each(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        take: &mut dyn FnMut(T) -> bool,
    ) -> Poll<Each> {
        loop {
            match ready!(Stream::poll_next(self.as_mut(), cx)) {
                Some(Ok(item)) => {
                    if !take(item) {
                        return Poll::Ready(Each::Enough);
                    }
                }
                Some(Err(status)) => return Poll::Ready(Each::Ended(Err(status))),
                None => return Poll::Ready(Each::Ended(Ok(()))),
            }
        }
    }

    fn hint(&self) -> (usize, Option<usize>) {
        Stream::size_hint(self)
    }
}
