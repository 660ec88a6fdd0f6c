//! What the client streams: lent to one attempt after another, as long as none has taken an item of it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use parking_lot::Mutex;
use rpcnet::{Executed, Reason, Status, Streaming};

/// The stream of a call's arguments. Its items are not kept, so that an attempt which has taken one is the last.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// `None` if the method takes no stream.
    place: Option<Arc<Mutex<Place>>>,
}

#[derive(Debug)]
struct Place {
    items: Option<Streaming<Bytes>>,
    /// Which attempt it is lent to. An earlier one may still hold on to it, and gets nothing any more.
    lent: u32,
}

impl Upload {
    pub(crate) fn new(items: Option<Streaming<Bytes>>) -> Self {
        Self { place: items.map(|items| Arc::new(Mutex::new(Place { items: Some(items), lent: 0 }))) }
    }

    /// The stream, for one more attempt.
    pub(crate) fn lend(&self) -> Option<Streaming<Bytes>> {
        let place = self.place.as_ref()?;
        let mut locked = place.lock();
        locked.lent += 1;
        let attempt = locked.lent;
        drop(locked);
        Some(Streaming::from_results(Lent { place: Arc::clone(place), attempt, items: None }))
    }

    /// Whether another attempt would have all of it.
    pub(crate) fn is_whole(&self) -> bool {
        self.place.as_ref().is_none_or(|place| place.lock().items.is_some())
    }
}

/// The stream as an attempt reads it.
struct Lent {
    place: Arc<Mutex<Place>>,
    attempt: u32,
    /// Once it was read from.
    items: Option<Streaming<Bytes>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.items.is_none() {
            let mut place = self.place.lock();
            let items = if place.lent == self.attempt { place.items.take() } else { None };
            drop(place);
            let Some(items) = items else { return Poll::Ready(Some(Err(lent_elsewhere()))) };
            self.items = Some(items);
        }
        let items = self.items.as_mut().expect("it was taken above");
        Pin::new(items).poll_next(cx)
    }
}

/// The end of a stream would say that it was complete.
fn lent_elsewhere() -> Status {
    Status::new(Reason::StreamCut, Executed::Unknown, "the attempt was given up, and another has the stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        Upload::new(Some(Streaming::iter([Bytes::from_static(b"1"), Bytes::from_static(b"2")])))
    }

    async fn all(mut items: Streaming<Bytes>) -> (usize, Option<Reason>) {
        let mut count = 0;
        while let Some(item) = items.next().await {
            match item {
                Ok(_) => count += 1,
                Err(status) => return (count, Some(status.reason())),
            }
        }
        (count, None)
    }

    #[tokio::test]
    async fn an_attempt_that_read_nothing_leaves_all_of_it_to_the_next() {
        let upload = upload();
        drop(upload.lend());
        assert!(upload.is_whole());
        let second = upload.lend().expect("the method takes a stream");
        assert_eq!(all(second).await, (2, None));
        assert!(!upload.is_whole());
    }

    #[tokio::test]
    async fn an_attempt_that_was_given_up_takes_nothing_away_and_is_not_told_that_it_was_complete() {
        let upload = upload();
        let first = upload.lend().expect("the method takes a stream");
        let second = upload.lend().expect("the method takes a stream");
        assert_eq!(all(first).await, (0, Some(Reason::StreamCut)));
        assert!(upload.is_whole());
        assert_eq!(all(second).await, (2, None));
        let third = upload.lend().expect("the method takes a stream");
        assert_eq!(all(third).await, (0, Some(Reason::StreamCut)));
    }

    #[test]
    fn a_method_that_takes_no_stream_can_be_asked_as_often_as_one_likes() {
        let upload = Upload::new(None);
        assert!(upload.lend().is_none() && upload.is_whole());
    }
}
