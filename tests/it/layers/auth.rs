//! Who is let in, and who is not.

use rpcnet::{
    CallError, Code, Metadata, Reason, Status,
    layer::{AuthorizeLayer, BearerLayer},
    prelude::*,
};

use crate::world::{BenchClient, World};

const ID: Uuid = Uuid::from_u128(7);

async fn guarded() -> World {
    World::with(|server| server.layer(AuthorizeLayer::bearer(["old", "hunter2"]).unwrap())).await
}

#[tokio::test(start_paused = true)]
async fn only_a_good_token_is_let_in_and_no_token_is_ever_told() {
    let world = guarded().await;
    let channel = world.channel().await;
    let stranger = BenchClient::new(channel.clone());
    let raw =
        |value: &str| CallOptions::new().metadata(Metadata::new().with("authorization", value).unwrap());
    let bad = [
        CallOptions::new(),
        raw("hunter2"),
        raw("Basic hunter2"),
        raw("Bearer hunter"),
        raw("Bearer hunter22"),
        raw("Bearer "),
    ];
    for options in bad {
        let error = stranger.with(options.clone()).wait().await.unwrap_err();
        assert_eq!(
            (error.code(), error.reason()),
            (Some(Code::Unauthenticated), Some(Reason::Unauthenticated))
        );
        assert_eq!(error.executed(), Executed::No);
        let text = format!("{error} {error:?}");
        assert!(text.contains("`authorization`") && !text.contains("hunter"), "{options:?}: {text}");
    }
    for good in [raw("Bearer hunter2"), raw("bearer old")] {
        assert_eq!(stranger.with(good).echo("in".into()).await.unwrap(), "in");
    }
    let owner = BenchClient::new(channel.layer(BearerLayer::new("hunter2").unwrap()));
    assert_eq!(owner.echo("in".into()).await.unwrap(), "in");
    let tenant = CallOptions::new().metadata(Metadata::new().with("tenant", "acme").unwrap());
    assert_eq!(owner.with(tenant).echo("in".into()).await.unwrap(), "in");
    assert_eq!(owner.with(raw("Bearer mine")).wait().await.unwrap_err().code(), Some(Code::Unauthenticated));
    assert_eq!(world.probe.began(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_remembered_is_not_given_to_a_stranger() {
    let world = guarded().await;
    let channel = world.channel().await;
    let owner = BenchClient::new(channel.clone().layer(BearerLayer::new("hunter2").unwrap()));
    assert_eq!(owner.charge(ID, "ann".into(), 500).await.unwrap(), 500);
    let error = BenchClient::new(channel).charge(ID, "ann".into(), 500).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Unauthenticated), Executed::No));
    assert_eq!(owner.charge(ID, "ann".into(), 500).await.unwrap(), 500, "the owner gets it again");
    assert_eq!(world.probe.began(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_denied_is_not_decoded_and_the_caller_is_told_why() {
    // It errs on whether the call ran, and is corrected.
    let no_echo = AuthorizeLayer::new(|call| match call.method() {
        "Bench/echo" => Err(Status::new(Reason::PermissionDenied, Executed::Unknown, "no echo on Sundays")),
        _ => Ok(()),
    });
    let world = World::with(|server| server.layer(no_echo)).await;
    let channel = world.channel().await;
    let error = channel.call("Bench/echo", vec![250]).await.unwrap_err();
    assert!(matches!(error, CallError::Status(_)), "{error:?}");
    assert_eq!(
        (error.code(), error.reason()),
        (Some(Code::PermissionDenied), Some(Reason::PermissionDenied))
    );
    assert!(error.to_string().contains("no echo on Sundays"), "{error}");
    let refused = BenchClient::new(channel).refuse("allowed".into()).await.unwrap_err();
    assert!(matches!(refused, CallError::App(_)), "{refused:?}");
}
