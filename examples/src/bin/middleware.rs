//! Layers at both ends: a token, who may do what, a limit that sheds, a time-out, a span for every call.

use std::time::Duration;

use rpcnet::{
    Executed, Idempotency, Reason, Status,
    layer::{AuthorizeLayer, BearerLayer, TraceLayer},
    prelude::*,
};
use tower::ServiceBuilder;

/// Some accounts.
#[rpc_trait]
trait Books {
    #[rpc(read)]
    async fn balance(&self, account: String) -> rpcnet::Result<i64>;

    async fn book(&self, account: String, cents: i64) -> rpcnet::Result<i64>;

    /// Takes for ever.
    #[rpc(read)]
    async fn audit(&self) -> rpcnet::Result<()>;
}

#[derive(Default)]
struct Ledger {
    cents: parking_lot::Mutex<std::collections::BTreeMap<String, i64>>,
}

impl Books for Ledger {
    async fn balance(&self, account: String) -> rpcnet::Result<i64> {
        Ok(self.cents.lock().get(&account).copied().unwrap_or_default())
    }

    async fn book(&self, account: String, cents: i64) -> rpcnet::Result<i64> {
        let mut all = self.cents.lock();
        let balance = all.entry(account).or_default();
        *balance += cents;
        Ok(*balance)
    }

    async fn audit(&self) -> rpcnet::Result<()> {
        std::future::pending().await
    }
}

/// Guests read; the clerk, whose token this is, writes.
fn clerks_write() -> AuthorizeLayer {
    AuthorizeLayer::new(|call| {
        let reads = call.descriptor().is_some_and(|method| method.idempotency == Idempotency::Read);
        let clerk = call.context().metadata().get("authorization") == Some("Bearer clerk-1");
        match reads || clerk {
            true => Ok(()),
            false => Err(Status::new(Reason::PermissionDenied, Executed::No, "only clerks write")),
        }
    })
}

/// What a caller may conclude.
fn outcome<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => "answered".to_owned(),
        Err(error) => {
            let code = error.code().map(|code| code.to_string()).unwrap_or_default();
            format!("{code}, it ran: {:?}", error.executed())
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `RUST_LOG=rpcnet::layer=debug` shows the spans, on the standard error.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let server = Server::builder()
        .service(BooksServer::new(Ledger::default()))
        .layer(TraceLayer::new())
        .layer(AuthorizeLayer::bearer(["clerk-1", "guest-1"])?)
        .layer(clerks_write())
        .layer(ServiceBuilder::new().load_shed().concurrency_limit(1).timeout(Duration::from_millis(200)))
        .bind("127.0.0.1:0")
        .await?;
    let addr = server.local_addr();
    tokio::spawn(server.serve());
    let channel = Channel::connect(addr).await?;

    let stranger = BooksClient::new(channel.clone());
    println!("a stranger reads: {}", outcome(stranger.balance("ann".into()).await));

    let guest = BooksClient::new(channel.clone().layer(BearerLayer::new("guest-1")?));
    println!("a guest reads: {}", outcome(guest.balance("ann".into()).await));
    println!("a guest writes: {}", outcome(guest.book("ann".into(), 500).await));

    let layers = ServiceBuilder::new().layer(BearerLayer::new("clerk-1")?).concurrency_limit(8);
    let clerk = BooksClient::new(channel.layer(layers));
    println!("the clerk writes: {} cents", clerk.book("ann".into(), 500).await?);

    // One connection keeps the order: the audit has the only permit when the other call comes.
    let (audit, book) = tokio::join!(clerk.audit(), clerk.book("ann".into(), 500));
    println!("while the audit runs the clerk writes: {}", outcome(book));
    println!("the audit: {}", outcome(audit));
    println!("again: {} cents", clerk.book("ann".into(), 500).await?);
    Ok(())
}
