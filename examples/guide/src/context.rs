//! What a handler may know of the call it serves.

use std::{sync::Arc, time::Duration};

use rpcnet::{Metadata, TraceContext, prelude::*};
use tokio::sync::Notify;

// ANCHOR: trait
#[rpc_trait]
trait Office {
    /// `ctx: Context` is given by the server. The client's method does not have it.
    async fn tenant(&self, ctx: Context) -> rpcnet::Result<String>;

    async fn trace(&self) -> rpcnet::Result<Option<String>>;

    async fn remaining(&self, ctx: Context) -> rpcnet::Result<Option<Duration>>;

    async fn watch(&self, ctx: Context) -> rpcnet::Result<()>;
}

/// Any function below a handler may ask for the call that is served.
fn current_trace() -> Option<TraceContext> {
    Context::current()?.trace()
}

struct Clerk {
    stopped: Arc<Notify>,
}

impl Office for Clerk {
    async fn tenant(&self, ctx: Context) -> rpcnet::Result<String> {
        let tenant = ctx.metadata().get("tenant").ok_or_else(|| AppError::msg("which tenant?"))?;
        Ok(tenant.to_owned())
    }

    async fn trace(&self) -> rpcnet::Result<Option<String>> {
        Ok(current_trace().map(|trace| trace.to_string()))
    }

    async fn remaining(&self, ctx: Context) -> rpcnet::Result<Option<Duration>> {
        Ok(ctx.remaining())
    }

    async fn watch(&self, ctx: Context) -> rpcnet::Result<()> {
        let stopped = Arc::clone(&self.stopped);
        // A task of its own is not dropped with the call, and has to be told.
        tokio::spawn(async move {
            ctx.cancelled().await;
            stopped.notify_one();
        });
        std::future::pending().await
    }
}
// ANCHOR_END: trait

fn office() -> (OfficeClient<rpcnet::Local>, Arc<Notify>) {
    let stopped = Arc::new(Notify::new());
    (OfficeClient::local(Clerk { stopped: Arc::clone(&stopped) }), stopped)
}

// ANCHOR: beside
#[tokio::test]
async fn metadata_and_a_trace_travel_beside_the_arguments() -> rpcnet::Result<()> {
    let (office, _) = office();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let metadata = Metadata::new().with("tenant", "acme")?;
    let ours = office.with(CallOptions::new().metadata(metadata).trace(trace.parse()?));

    assert_eq!(ours.tenant().await?, "acme");
    assert_eq!(ours.trace().await?.as_deref(), Some(trace));
    assert_eq!(office.trace().await?, None);
    assert_eq!(office.tenant().await.unwrap_err().to_string(), "which tenant?");
    Ok(())
}
// ANCHOR_END: beside

// ANCHOR: deadline
#[tokio::test(start_paused = true)]
async fn a_handler_sees_how_long_its_caller_will_wait() -> rpcnet::Result<()> {
    let (office, _) = office();
    assert_eq!(office.remaining().await?, Some(CallOptions::TIMEOUT_DEFAULT));
    let hurried = office.with(CallOptions::timeout(Duration::from_secs(2)));
    assert_eq!(hurried.remaining().await?, Some(Duration::from_secs(2)));
    Ok(())
}
// ANCHOR_END: deadline

// ANCHOR: cancelled
#[tokio::test(start_paused = true)]
async fn what_a_handler_began_learns_that_its_caller_gave_up() {
    let (office, stopped) = office();
    let call = tokio::time::timeout(Duration::from_secs(1), office.watch()).await;
    assert!(call.is_err()); // the future of the call is dropped, and the handler with it
    stopped.notified().await;
}
// ANCHOR_END: cancelled
