//! Streams: what arrives, how they end, and what each end learns of the other.

use std::time::Duration;

use rpcnet::{CallError, CallOptions, Caller, Code, Executed, Reason, prelude::*};
use tokio::time::Instant;

use super::{KindsClient, KindsServer, Probe, Road, fed, network_road, over_every_road};
use crate::world::{World, settle};

over_every_road! {
    a_method_takes_a_stream_and_an_argument
    both_ends_stream_in_turns
    an_error_comes_before_the_stream
    a_dropped_upload_is_not_taken_for_the_whole
    a_failed_stream_gives_its_items_and_then_its_status
    a_panic_in_a_stream_cuts_it
    a_writer_learns_that_the_method_reads_no_more
    a_method_with_a_stream_is_not_called_as_one_without

    [about time]
    a_method_answers_a_stream
    a_dropped_download_stops_its_writer
    dropping_the_call_cuts_the_upload
    a_method_that_runs_on_learns_that_its_upload_was_cut
    a_stream_has_no_deadline_by_itself
    a_deadline_cuts_a_stream
    a_deadline_ends_a_call_whose_upload_hangs
    a_writer_is_not_far_ahead_of_its_reader
}

async fn all<T>(mut stream: Streaming<T>) -> (Vec<T>, Option<rpcnet::Status>) {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(item),
            Err(status) => return (items, Some(status)),
        }
    }
    (items, None)
}

async fn a_method_answers_a_stream(Road { client, probe, .. }: Road<impl Caller>) {
    let (items, cut) = all(client.count(1000).await.unwrap()).await;
    assert!(items.iter().copied().eq(1..=1000) && cut.is_none(), "{cut:?}");
    settle().await;
    assert_eq!(probe.ended(), 1);
    assert!(all(client.count(0).await.unwrap()).await.0.is_empty());
}

async fn a_method_takes_a_stream_and_an_argument(Road { client, .. }: Road<impl Caller>) {
    assert_eq!(client.sum(1, Streaming::iter(1..=1000)).await.unwrap(), 500_501);
    assert_eq!(client.sum(7, Streaming::empty()).await.unwrap(), 7);
}

async fn both_ends_stream_in_turns(Road { client, .. }: Road<impl Caller>) {
    let (sender, lines) = fed();
    let mut answers = client.chat(lines).await.unwrap();
    for line in ["one", "two", "three"] {
        sender.send(line.to_owned()).await.unwrap();
        assert_eq!(answers.next().await.unwrap().unwrap(), line.to_uppercase());
    }
    sender.finish();
    assert!(answers.next().await.is_none());
}

async fn an_error_comes_before_the_stream(Road { client, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    sender.fail(rpcnet::Status::new(Reason::Unspecified, Executed::Yes, "no numbers today"));
    let error = client.sum(0, numbers).await.unwrap_err();
    let CallError::App(error) = error else { panic!("the method answered: {error:?}") };
    assert!(error.to_string().contains("no numbers today"), "{error}");
}

async fn a_dropped_upload_is_not_taken_for_the_whole(Road { client, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    let sum = tokio::spawn(async move { client.sum(0, numbers).await });
    sender.send(1).await.unwrap();
    drop(sender);
    let error = sum.await.unwrap().unwrap_err();
    assert!(matches!(&error, CallError::App(error) if error.to_string().contains("finish")), "{error:?}");
}

async fn a_failed_stream_gives_its_items_and_then_its_status(Road { client, .. }: Road<impl Caller>) {
    let (items, cut) = all(client.break_off(false).await.unwrap()).await;
    let status = cut.expect("it was cut");
    assert_eq!((items, status.reason(), status.executed()), (vec![1, 2], Reason::Overloaded, Executed::Yes));
}

async fn a_panic_in_a_stream_cuts_it(Road { client, .. }: Road<impl Caller>) {
    let (items, cut) = all(client.break_off(true).await.unwrap()).await;
    assert_eq!((items, cut.map(|status| status.reason())), (vec![1, 2], Some(Reason::Panicked)));
    assert_eq!(client.hello().await.unwrap(), "hello");
}

async fn a_dropped_download_stops_its_writer(Road { client, probe, .. }: Road<impl Caller>) {
    let mut hours = client.hours().await.unwrap();
    assert_eq!(hours.next().await.unwrap().unwrap(), 1);
    drop(hours);
    settle().await;
    assert_eq!(probe.ended(), 1);
}

async fn a_writer_learns_that_the_method_reads_no_more(Road { client, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    let call = tokio::spawn(async move { client.first(numbers).await });
    sender.send(7).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), Some(7));
    sender.closed().await;
}

async fn dropping_the_call_cuts_the_upload(Road { client, probe, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    let call = tokio::spawn(async move { client.hold(numbers).await });
    sender.send(1).await.unwrap();
    settle().await;
    let mut held = probe.held.lock().unwrap().take().expect("the method runs");
    assert_eq!(held.next().await.unwrap().unwrap(), 1);
    call.abort();
    let _ = call.await;
    settle().await;
    sender.finish();
    let end = held.next().await;
    // In the same process there is nothing between the two: the stream is the test's own, and is finished.
    if let Some(cut) = end {
        assert_eq!(cut.unwrap_err().code(), Code::Cancelled);
    }
}

async fn a_method_that_runs_on_learns_that_its_upload_was_cut(Road { client, probe, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    let call = tokio::spawn(async move { client.dogged_sum(numbers).await });
    sender.send(1).await.unwrap();
    settle().await;
    call.abort();
    let _ = call.await;
    // Within a process there is nothing between the two: the stream is the test's own.
    drop(sender);
    settle().await;
    assert_eq!((probe.ended(), probe.made()), (1, 1));
}

/// Over a connection the stream ends with its call. Within a process it is the caller's, who goes on feeding it.
#[tokio::test(start_paused = true)]
async fn a_task_that_reads_on_after_the_answer_learns_that_the_call_is_over() {
    let Road { client, probe, .. } = network_road().await;
    let (sender, numbers) = fed();
    client.hand_over(numbers).await.unwrap();
    sender.closed().await;
    settle().await;
    assert_eq!((probe.ended(), probe.made()), (1, 1));
}

/// The client keeps the connection for the stream, and opens another for what comes later: none is taken there any more.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_under_way_outlives_a_shutdown() {
    let probe = Probe::default();
    let mut world = World::with(|server| server.service(KindsServer::new(probe.clone()))).await;
    let client = KindsClient::new(world.channel().await);
    let (sender, lines) = fed();
    let mut answers = client.chat(lines).await.unwrap();
    world.shutdown.notify_one();
    settle().await;
    let refused = client.hello().await.unwrap_err();
    assert_eq!(refused.executed(), Executed::No, "{refused}");
    for line in ["one", "two"] {
        sender.send(line.to_owned()).await.unwrap();
        assert_eq!(answers.next().await.unwrap().unwrap(), line.to_uppercase());
    }
    assert!(!world.serving.is_finished(), "it waits for the stream");
    sender.finish();
    assert!(answers.next().await.is_none());
    let ended = tokio::time::timeout(Duration::from_secs(1), &mut world.serving).await;
    ended.expect("and no longer").unwrap();
}

async fn a_stream_has_no_deadline_by_itself(Road { client, .. }: Road<impl Caller>) {
    let mut hours = client.hours().await.unwrap();
    for hour in 1..=24 {
        assert_eq!(hours.next().await.unwrap().unwrap(), hour);
    }
}

async fn a_deadline_cuts_a_stream(Road { client, probe, .. }: Road<impl Caller>) {
    let client = client.with(CallOptions::timeout(Duration::from_secs(3 * 3600 + 1)));
    let begun = Instant::now();
    let (items, cut) = all(client.hours().await.unwrap()).await;
    let status = cut.expect("it was cut");
    assert_eq!((items, status.reason(), status.executed()), (vec![1, 2, 3], Reason::Deadline, Executed::Yes));
    assert_eq!(begun.elapsed().as_secs(), 3 * 3600 + 1);
    settle().await;
    assert_eq!(probe.ended(), 1);
}

async fn a_deadline_ends_a_call_whose_upload_hangs(Road { client, .. }: Road<impl Caller>) {
    let (sender, numbers) = fed();
    let client = client.with(CallOptions::timeout(Duration::from_secs(5)));
    let error = client.sum(0, numbers).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::Unknown));
    sender.closed().await;
}

async fn a_writer_is_not_far_ahead_of_its_reader(Road { client, probe, .. }: Road<impl Caller>) {
    let mut numbers = client.count(10_000_000).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    settle().await;
    assert!(probe.made() < 100_000, "{} made and 1 read", probe.made());
}

async fn a_method_with_a_stream_is_not_called_as_one_without(Road { caller, .. }: Road<impl Caller>) {
    /// Another version of the same service.
    #[rpc_trait(name = "Kinds")]
    trait Other {
        async fn count(&self, to: u32) -> rpcnet::Result<u32>;
        async fn hello(&self) -> rpcnet::Result<Streaming<u32>>;
    }
    let other = OtherClient::new(caller);
    for error in [other.count(1).await.unwrap_err(), other.hello().await.map(drop).unwrap_err()] {
        assert_eq!((error.reason(), error.executed()), (Some(Reason::IncompatibleMethod), Executed::No));
        // Of each end.
        assert_eq!(error.to_string().matches(" -> rpcnet::Result<").count(), 2, "{error}");
    }
}
