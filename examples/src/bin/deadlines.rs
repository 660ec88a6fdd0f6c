//! Deadlines and cancellation: one deadline for a chain of calls, a call that is dropped, and one that goes on without its caller.

use std::{sync::Arc, time::Duration};

use rpcnet::{Reason, prelude::*};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A kitchen, which asks a store for what it needs.
#[rpc_trait]
trait Kitchen {
    /// Cooks, which takes a call to the store.
    async fn cook(&self, ctx: Context, dish: String) -> rpcnet::Result<String>;

    /// Cooks once for each request, whether somebody waits for it or not.
    async fn bake(&self, request_id: Uuid, cake: String) -> rpcnet::Result<String>;
}

#[rpc_trait]
trait Store {
    /// Never finds anything.
    #[rpc(read)]
    async fn fetch(&self, ctx: Context, item: String) -> rpcnet::Result<String>;
}

/// What happens at the servers, in the order in which it happens.
type Log = UnboundedSender<String>;

/// Says so when it is dropped: with the future of a handler, for instance.
struct Dropped(Log, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The program may have ended, and then nobody asks any more.
        let _ = self.0.send(format!("{}: dropped", self.1));
    }
}

struct Shelves(Log);

impl Store for Shelves {
    async fn fetch(&self, ctx: Context, _item: String) -> rpcnet::Result<String> {
        let hurry = ctx.remaining().is_some_and(|left| left < Duration::from_secs(60));
        self.0.send(format!("store: has {} than a minute", if hurry { "less" } else { "more" }))?;
        let _dropped = Dropped(self.0.clone(), "store");
        std::future::pending().await
    }
}

struct Cook {
    log: Log,
    store: StoreClient,
    oven: Arc<tokio::sync::Semaphore>,
}

impl Kitchen for Cook {
    async fn cook(&self, _ctx: Context, dish: String) -> rpcnet::Result<String> {
        let _dropped = Dropped(self.log.clone(), "kitchen");
        // No deadline is said here: this call has what is left of the kitchen's.
        Ok(self.store.fetch(dish).await?)
    }

    async fn bake(&self, _request_id: Uuid, cake: String) -> rpcnet::Result<String> {
        self.log.send("kitchen: bakes".to_owned())?;
        self.oven.acquire().await?.forget();
        Ok(format!("{cake}, baked"))
    }
}

/// Serves both, and answers with a client of the kitchen and its oven.
async fn open(log: &Log) -> rpcnet::Result<(KitchenClient, Arc<tokio::sync::Semaphore>)> {
    let store = Server::builder().service(StoreServer::new(Shelves(log.clone()))).bind("127.0.0.1:0").await?;
    let at = store.local_addr();
    tokio::spawn(store.serve());
    let oven = Arc::new(tokio::sync::Semaphore::new(0));
    // A long timeout of the channel's own, which a caller's shorter one cuts.
    let patient = CallOptions::timeout(Duration::from_secs(3600));
    let store = StoreClient::new(Channel::builder(at).options(patient).connect().await?);
    let cook = Cook { log: log.clone(), store, oven: Arc::clone(&oven) };
    let kitchen = Server::builder().service(KitchenServer::new(cook)).bind("127.0.0.1:0").await?;
    let at = kitchen.local_addr();
    tokio::spawn(kitchen.serve());
    Ok((KitchenClient::connect(at).await?, oven))
}

/// The next `count` things that happened, sorted: what ends at two servers at once ends in either order.
async fn print(log: &mut UnboundedReceiver<String>, count: usize) {
    let mut lines = Vec::new();
    while lines.len() < count {
        lines.extend(log.recv().await);
    }
    lines.sort();
    lines.iter().for_each(|line| println!("  {line}"));
}

/// The kitchen calls the store; its caller has half a second.
async fn too_late(kitchen: &KitchenClient, told: &mut UnboundedReceiver<String>) {
    let hurried = kitchen.with(CallOptions::timeout(Duration::from_millis(500)));
    let soup = hurried.cook("soup".into()).await;
    print(told, 3).await;
    match soup {
        Err(CallError::OutcomeUnknown(status)) if status.reason() == Reason::Deadline => {
            println!("  caller: no soup in time, and it may have been cooked");
        }
        other => println!("  caller: {other:?}"),
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let (log, mut told) = unbounded_channel();
    let (kitchen, oven) = open(&log).await?;

    println!("a deadline:");
    too_late(&kitchen, &mut told).await;

    println!("a call that is dropped:");
    let call = tokio::spawn({
        let kitchen = kitchen.clone();
        async move { kitchen.cook("stew".into()).await }
    });
    print(&mut told, 1).await; // it has come as far as the store
    call.abort();
    print(&mut told, 2).await;

    println!("a keyed call that is dropped:");
    let id = Uuid::new_v4();
    let call = tokio::spawn({
        let kitchen = kitchen.clone();
        async move { kitchen.bake(id, "cake".into()).await }
    });
    print(&mut told, 1).await;
    call.abort();
    oven.add_permits(1);
    println!("  caller, again: {}", kitchen.bake(id, "cake".into()).await?);
    Ok(())
}
