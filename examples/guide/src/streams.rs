//! Streams of values, in each direction, and how they end.

use std::time::Duration;

use rpcnet::{CallKind, Executed, Reason, Service, Status, StreamSender};

// ANCHOR: trait
use rpcnet::prelude::*;

#[rpc_trait]
trait Numbers {
    /// Unary: one request, one answer.
    async fn latest(&self) -> rpcnet::Result<u32>;

    /// The server streams.
    async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>>;

    /// The client streams. There is one stream at most among the arguments, at any place.
    async fn sum(&self, from: u32, numbers: Streaming<u32>) -> rpcnet::Result<u32>;

    /// Both stream, each at its own pace.
    async fn double(&self, numbers: Streaming<u32>) -> rpcnet::Result<Streaming<u32>>;

    /// The server streams, a minute apart.
    async fn minutes(&self) -> rpcnet::Result<Streaming<u32>>;

    /// Items that are results: one that failed does not end the stream.
    async fn parse(&self, lines: Streaming<String>) -> rpcnet::Result<Streaming<Result<u32, String>>>;
}
// ANCHOR_END: trait

struct Machine;

// ANCHOR: implement
impl Numbers for Machine {
    async fn latest(&self) -> rpcnet::Result<u32> {
        Ok(42)
    }

    async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>> {
        Ok(Streaming::iter(1..=to))
    }

    async fn sum(&self, from: u32, mut numbers: Streaming<u32>) -> rpcnet::Result<u32> {
        let mut sum = from;
        while let Some(number) = numbers.next().await {
            sum += number?; // an error: the stream was cut, and the sum is not to be trusted
        }
        Ok(sum)
    }

    async fn double(&self, numbers: Streaming<u32>) -> rpcnet::Result<Streaming<u32>> {
        Ok(numbers.try_map(|number| Ok(2 * number)))
    }

    async fn minutes(&self) -> rpcnet::Result<Streaming<u32>> {
        let (sender, minutes) = Streaming::channel(8);
        tokio::spawn(async move {
            for minute in 1..=60 {
                tokio::time::sleep(Duration::from_secs(60)).await;
                if sender.send(minute).await.is_err() {
                    return; // nobody reads any more
                }
            }
            sender.finish(); // without this, the reader would be told that the stream was cut
        });
        Ok(minutes)
    }

    async fn parse(&self, lines: Streaming<String>) -> rpcnet::Result<Streaming<Result<u32, String>>> {
        Ok(lines.try_map(|line| Ok(line.parse().map_err(|_| format!("not a number: {line}")))))
    }
}
// ANCHOR_END: implement

// ANCHOR: kinds
#[tokio::test]
async fn there_are_four_kinds_of_call() -> rpcnet::Result<()> {
    let numbers = NumbersClient::local(Machine);
    assert_eq!(numbers.latest().await?, 42);

    let mut counted = numbers.count(2).await?;
    assert_eq!(counted.next().await.transpose()?, Some(1));
    assert_eq!(counted.next().await.transpose()?, Some(2));
    assert_eq!(counted.next().await.transpose()?, None); // complete

    assert_eq!(numbers.sum(100, Streaming::iter([1, 2, 3])).await?, 106);

    let (sender, asked) = Streaming::channel(1);
    let mut doubled = numbers.double(asked).await?;
    sender.send(21).await?;
    assert_eq!(doubled.next().await.transpose()?, Some(42));
    sender.finish();
    assert_eq!(doubled.next().await.transpose()?, None);
    Ok(())
}
// ANCHOR_END: kinds

#[test]
fn the_signature_says_which_kind() {
    let server = NumbersServer::new(Machine);
    let kinds: Vec<_> = server.descriptor().methods.iter().map(|method| method.kind).collect();
    use CallKind::{Bidirectional, ClientStreaming, ServerStreaming, Unary};
    let expected = [Unary, ServerStreaming, ClientStreaming, Bidirectional, ServerStreaming, Bidirectional];
    assert_eq!(kinds, expected);
}

// ANCHOR: cut
#[tokio::test]
async fn half_of_an_upload_is_not_taken_for_the_whole() {
    let numbers = NumbersClient::local(Machine);

    // Dropped before `finish`: the task that fed it failed, or was cancelled.
    let (sender, upload): (StreamSender<u32>, _) = Streaming::channel(8);
    sender.send(1).await.unwrap();
    drop(sender);
    let error = numbers.sum(0, upload).await.unwrap_err();
    assert_eq!(error.to_string(), "cancelled: its sender was dropped before `finish`");

    // Cut on purpose, with a reason: the reader gets the items that were sent, and then the status.
    let (sender, mut read) = Streaming::channel(8);
    sender.send(1).await.unwrap();
    sender.fail(Status::new(Reason::Overloaded, Executed::Yes, "the disk is full"));
    assert_eq!(read.next().await.unwrap().unwrap(), 1);
    assert_eq!(read.next().await.unwrap().unwrap_err().reason(), Reason::Overloaded);
    assert!(read.next().await.is_none());
}
// ANCHOR_END: cut

// ANCHOR: dropped
#[tokio::test]
async fn a_writer_learns_that_nobody_reads_any_more() -> rpcnet::Result<()> {
    let numbers = NumbersClient::local(Machine);
    let (sender, asked) = Streaming::channel(1);
    let doubled = numbers.double(asked).await?;
    drop(doubled);
    sender.closed().await;
    assert!(sender.send(1).await.is_err());
    Ok(())
}
// ANCHOR_END: dropped

// ANCHOR: items
#[tokio::test]
async fn an_item_may_fail_by_itself() -> rpcnet::Result<()> {
    let numbers = NumbersClient::local(Machine);
    let lines = ["1", "two", "3"].map(str::to_owned);
    let mut parsed = numbers.parse(Streaming::iter(lines)).await?;
    assert_eq!(parsed.next().await.transpose()?, Some(Ok(1)));
    assert_eq!(parsed.next().await.transpose()?, Some(Err("not a number: two".to_owned())));
    assert_eq!(parsed.next().await.transpose()?, Some(Ok(3)));
    Ok(())
}
// ANCHOR_END: items

// ANCHOR: deadline
#[tokio::test(start_paused = true)]
async fn a_stream_lasts_as_long_as_it_is_allowed_to() -> rpcnet::Result<()> {
    let numbers = NumbersClient::local(Machine);

    let mut minutes = numbers.minutes().await?;
    for minute in 1..=60 {
        assert_eq!(minutes.next().await.transpose()?, Some(minute)); // an hour, and no deadline
    }
    assert_eq!(minutes.next().await.transpose()?, None);

    let hurried = numbers.with(CallOptions::timeout(Duration::from_secs(90)));
    let mut minutes = hurried.minutes().await?;
    assert_eq!(minutes.next().await.transpose()?, Some(1));
    let status = minutes.next().await.unwrap().unwrap_err();
    assert_eq!(status.reason(), Reason::Deadline);
    Ok(())
}
// ANCHOR_END: deadline
