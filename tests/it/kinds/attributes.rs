//! What the attributes of a method do.

use std::time::Duration;

use rpcnet::{CallOptions, Caller, Metadata, Reason, Request, TraceContext};
use tokio::time::Instant;

use super::{KindsServer, Probe, Road, local_road, network_road, over_every_road};
use crate::world::settle;

over_every_road! {
    metadata_and_trace_reach_the_method
    the_client_makes_the_id_of_a_keyed_call
    a_method_answers_to_its_former_names
    a_blocking_method_runs_elsewhere

    [about time]
    a_method_says_how_long_its_calls_may_take
    a_no_cancel_method_runs_to_its_end
}

async fn metadata_and_trace_reach_the_method(Road { client, .. }: Road<impl Caller>) {
    let trace: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let metadata = Metadata::new().with("tenant", "acme").unwrap();
    let options = CallOptions::new().metadata(metadata).trace(trace);
    let (tenant, seen) = client.with(options).about().await.unwrap();
    assert_eq!((tenant.as_deref(), seen), (Some("acme"), Some(trace.to_string())));
    assert_eq!(client.about().await.unwrap(), (None, None));
}

async fn the_client_makes_the_id_of_a_keyed_call(Road { client, .. }: Road<impl Caller>) {
    let (one, two) = (client.keyed().await.unwrap(), client.keyed().await.unwrap());
    assert_ne!(one, two);
}

async fn a_method_answers_to_its_former_names(Road { caller, .. }: Road<impl Caller>) {
    for name in ["Kinds/hello", "Kinds/greet", "Kinds/salute"] {
        let answer = caller.invoke(Request::untyped(name, vec![], CallOptions::new())).await.unwrap();
        let text: String = caller.codec().decode(&answer.untyped(caller.codec()).unwrap()).unwrap();
        assert_eq!(text, "hello", "by {name}");
    }
}

async fn a_method_says_how_long_its_calls_may_take(Road { client, .. }: Road<impl Caller>) {
    let begun = Instant::now();
    // Once: over a cluster it would be given up when half of its time was spent on one worker.
    let error = client.with(CallOptions::new().max_attempts(1)).hurried().await.unwrap_err();
    assert_eq!((error.reason(), begun.elapsed().as_millis() / 10), (Some(Reason::Deadline), 5), "{error}");
    let begun = Instant::now();
    let patient = client.with(CallOptions::timeout(Duration::from_secs(7)));
    assert_eq!(patient.hurried().await.unwrap_err().reason(), Some(Reason::Deadline));
    assert_eq!(begun.elapsed().as_secs(), 7, "what the caller says is what counts");
}

async fn a_no_cancel_method_runs_to_its_end(Road { client, probe, .. }: Road<impl Caller>) {
    let call = tokio::time::timeout(Duration::from_secs(1), client.dogged());
    assert!(call.await.is_err(), "the caller gave up first");
    settle().await;
    assert_eq!((probe.made(), probe.ended()), (1, 1), "it learned that nobody waits, and went on");
}

async fn a_blocking_method_runs_elsewhere(Road { client, .. }: Road<impl Caller>) {
    assert_eq!(client.blocking("text".into()).await.unwrap(), ("text".into(), true));
    assert_eq!(client.blocking_panic().await.unwrap_err().reason(), Some(Reason::Panicked));
}

/// Virtual time stands still while a thread is blocked, and nothing would arrive over the network in memory.
#[tokio::test]
async fn a_blocking_method_learns_that_nobody_waits() {
    nobody_waits(local_road().await).await;
    nobody_waits(network_road().await).await;
    nobody_waits(super::quic_road().await).await;
    #[cfg(unix)]
    nobody_waits(super::unix_road().await).await;
}

async fn nobody_waits(Road { client, probe, .. }: Road<impl Caller>) {
    let call = tokio::spawn(async move { client.blocking_wait().await });
    probe.done.notified().await;
    call.abort();
    let _ = call.await;
    probe.done.notified().await;
}

#[test]
fn a_description_says_what_the_attributes_said() {
    let service = rpcnet::Service::descriptor(&KindsServer::new(Probe::default()));
    let method = |name| *service.methods.iter().find(|method| method.name == name).unwrap();
    assert_eq!(method("count").kind, rpcnet::CallKind::ServerStreaming);
    assert_eq!(method("sum").kind, rpcnet::CallKind::ClientStreaming);
    assert_eq!(method("chat").kind, rpcnet::CallKind::Bidirectional);
    assert_eq!(method("keyed").idempotency, rpcnet::Idempotency::Keyed);
    assert_eq!(method("hello").aliases, ["Kinds/greet", "Kinds/salute"]);
    assert_eq!(method("hurried").timeout, Some(Duration::from_millis(50)));
    assert_eq!(method("hurried").idempotency, rpcnet::Idempotency::Read);
    assert!(method("dogged").no_cancel && method("blocking").blocking);
}
