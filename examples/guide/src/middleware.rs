//! Layers around clients and servers.

use std::{
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use rpcnet::{
    Code, Executed, Metadata, Reason, Status, Streamed,
    layer::{AuthorizeLayer, BearerLayer, Outgoing, TraceLayer},
    prelude::*,
};
use tower::{Layer, Service, ServiceBuilder};

// ANCHOR: service
#[rpc_trait]
trait Books {
    #[rpc(read)]
    async fn balance(&self, account: String) -> rpcnet::Result<i64>;

    async fn book(&self, account: String, cents: i64) -> rpcnet::Result<()>;

    #[rpc(read)]
    async fn audit(&self) -> rpcnet::Result<()>;
}
// ANCHOR_END: service

struct Ledger;

impl Books for Ledger {
    async fn balance(&self, _account: String) -> rpcnet::Result<i64> {
        Ok(7)
    }

    async fn book(&self, _account: String, _cents: i64) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn audit(&self) -> rpcnet::Result<()> {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        Ok(())
    }
}

// ANCHOR: both
#[tokio::test(start_paused = true)]
async fn a_timeout_at_the_server_and_a_limit_at_the_client() -> rpcnet::Result<()> {
    let server = Server::builder()
        .service(BooksServer::new(Ledger))
        .layer(TraceLayer::new()) // the outermost: it sees what the caller is told
        .layer(ServiceBuilder::new().load_shed().concurrency_limit(64).timeout(Duration::from_secs(2)));
    let caller = server.local()?; // or `bind`, and a `Channel`

    let books = BooksClient::new(caller.layer(ServiceBuilder::new().concurrency_limit(8)));
    assert_eq!(books.balance("ann".into()).await?, 7);

    let error = books.audit().await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Deadline), Executed::Unknown));
    Ok(())
}
// ANCHOR_END: both

// ANCHOR: shed
#[tokio::test(start_paused = true)]
async fn a_call_that_is_shed_may_be_made_again() -> rpcnet::Result<()> {
    let busy = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let books = BooksClient::new(Server::builder().service(BooksServer::new(Ledger)).layer(busy).local()?);

    let (_first, second) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(1), books.audit()),
        books.book("ann".into(), 500),
    );
    let error = second.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
    books.book("ann".into(), 500).await?; // the audit was dropped, and its permit with it
    Ok(())
}
// ANCHOR_END: shed

// ANCHOR: authorize
/// Everybody with a token may read; the clerk may write.
fn guards() -> rpcnet::Result<impl Fn(rpcnet::ServerBuilder) -> rpcnet::ServerBuilder> {
    let known = AuthorizeLayer::bearer(["clerk-1", "guest-1"])?;
    let writes = AuthorizeLayer::new(|call| {
        let reads = call.descriptor().is_some_and(|method| method.idempotency == rpcnet::Idempotency::Read);
        let clerk = call.context().metadata().get("authorization") == Some("Bearer clerk-1");
        match reads || clerk {
            true => Ok(()),
            false => {
                let message = format!("{} is for clerks", call.method());
                Err(Status::new(Reason::PermissionDenied, Executed::No, message))
            }
        }
    });
    Ok(move |server: rpcnet::ServerBuilder| server.layer(known.clone()).layer(writes.clone()))
}

#[tokio::test]
async fn a_guest_reads_and_a_clerk_writes() -> rpcnet::Result<()> {
    let caller = guards()?(Server::builder().service(BooksServer::new(Ledger))).local()?;

    let stranger = BooksClient::new(caller.clone());
    assert_eq!(stranger.balance("ann".into()).await.unwrap_err().code(), Some(Code::Unauthenticated));

    let guest = BooksClient::new(caller.clone().layer(BearerLayer::new("guest-1")?));
    assert_eq!(guest.balance("ann".into()).await?, 7);
    let error = guest.book("ann".into(), 500).await.unwrap_err();
    assert_eq!(error.to_string(), "permission denied: Books/book: Books/book is for clerks");

    let clerk = BooksClient::new(caller.layer(BearerLayer::new("clerk-1")?));
    clerk.book("ann".into(), 500).await?;
    Ok(())
}
// ANCHOR_END: authorize

// ANCHOR: own
/// Adds a tenant to every call that goes out.
#[derive(Clone)]
struct Tenant(&'static str);

#[derive(Clone)]
struct WithTenant<S> {
    inner: S,
    tenant: &'static str,
}

impl<S> Layer<S> for Tenant {
    type Service = WithTenant<S>;

    fn layer(&self, inner: S) -> WithTenant<S> {
        WithTenant { inner, tenant: self.0 }
    }
}

impl<S> Service<Outgoing> for WithTenant<S>
where
    S: Service<Outgoing, Response = Streamed>,
{
    type Response = Streamed;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut call: Outgoing) -> S::Future {
        call.metadata_mut().insert("tenant", self.tenant).expect("a short text");
        self.inner.call(call)
    }
}
// ANCHOR_END: own

#[rpc_trait]
trait Who {
    async fn tenant(&self, ctx: Context) -> rpcnet::Result<Option<String>>;
}

struct Echo;

impl Who for Echo {
    async fn tenant(&self, ctx: Context) -> rpcnet::Result<Option<String>> {
        Ok(ctx.metadata().get("tenant").map(str::to_owned))
    }
}

#[tokio::test]
async fn a_layer_of_ones_own_adds_metadata() -> rpcnet::Result<()> {
    let who = WhoClient::new(rpcnet::Local::new(WhoServer::new(Echo))?.layer(Tenant("acme")));
    assert_eq!(who.tenant().await?.as_deref(), Some("acme"));
    let other = CallOptions::new().metadata(Metadata::new().with("colour", "red")?);
    assert_eq!(who.with(other).tenant().await?.as_deref(), Some("acme"));
    Ok(())
}

// ANCHOR: rate
/// A rate limit cannot be cloned: all calls share it through a buffer. The buffer is outside.
#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_shared_through_a_buffer() -> rpcnet::Result<()> {
    let layers = ServiceBuilder::new().buffer(100).rate_limit(10, Duration::from_secs(1));
    let books = BooksClient::new(rpcnet::Local::new(BooksServer::new(Ledger))?.layer(layers));
    let begun = tokio::time::Instant::now();
    for _ in 0..25 {
        books.balance("ann".into()).await?;
    }
    assert_eq!(begun.elapsed().as_secs(), 2);
    Ok(())
}
// ANCHOR_END: rate
