//! How streams end, and what their two ends learn of each other.

use super::*;
use crate::status::{Executed, Reason};

async fn read<T>(mut stream: Streaming<T>) -> (Vec<T>, Option<Reason>) {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(item),
            Err(status) => {
                assert!(stream.next().await.is_none(), "a cut stream is over");
                return (items, Some(status.reason()));
            }
        }
    }
    (items, None)
}

#[tokio::test]
async fn a_finished_stream_is_complete_and_a_dropped_one_is_cut() {
    let (sender, stream) = Streaming::channel(2);
    sender.send(1).await.unwrap();
    sender.finish();
    assert_eq!(read(stream).await, (vec![1], None));

    let (sender, stream) = Streaming::channel(2);
    sender.send(1).await.unwrap();
    drop(sender);
    assert_eq!(read(stream).await, (vec![1], Some(Reason::StreamCut)));
}

#[tokio::test]
async fn a_failed_stream_gives_its_items_and_then_its_status() {
    let (sender, stream) = Streaming::channel(2);
    sender.send(1).await.unwrap();
    sender.fail(Status::new(Reason::Overloaded, Executed::Yes, "enough"));
    assert_eq!(read(stream).await, (vec![1], Some(Reason::Overloaded)));
}

#[tokio::test]
async fn a_writer_learns_that_its_reader_has_gone() {
    let (sender, stream) = Streaming::channel(1);
    sender.send(1).await.unwrap();
    drop(stream);
    sender.closed().await;
    assert_eq!(sender.send(2).await, Err(ReaderGone));
}

#[tokio::test]
async fn a_change_that_fails_cuts_the_stream() {
    let odd = |n: u32| match n % 2 {
        1 => Ok(n),
        _ => Err(Status::new(Reason::Unspecified, Executed::Yes, "even")),
    };
    assert_eq!(
        read(Streaming::iter([1, 3, 4, 5]).try_map(odd)).await,
        (vec![1, 3], Some(Reason::Unspecified))
    );
}

#[tokio::test]
async fn what_a_stream_is_made_of_is_released_when_it_ends() {
    let held = std::sync::Arc::new(());
    let guard = held.clone();
    let mut stream = Streaming::iter(
        [()].into_iter().inspect(move |()| assert!(std::sync::Arc::strong_count(&guard) > 0)),
    );
    assert!(stream.next().await.is_some() && stream.next().await.is_none());
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}
