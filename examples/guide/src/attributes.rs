//! Each word of `#[rpc(…)]`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpcnet::{Local, Reason, Service, prelude::*};
use tokio::sync::Notify;

// ANCHOR: trait
#[rpc_trait]
trait Shelf {
    /// Changes nothing.
    #[rpc(read)]
    async fn count(&self) -> rpcnet::Result<u32>;

    /// Setting it twice is as good as setting it once.
    #[rpc(idempotent)]
    async fn set(&self, count: u32) -> rpcnet::Result<()>;

    /// Adding twice is not. The client makes the id of each call.
    #[rpc(keyed)]
    async fn add(&self, count: u32) -> rpcnet::Result<u32>;

    /// The same, with an id that the caller chooses, and keeps for when it asks again.
    async fn take(&self, request_id: Uuid, count: u32) -> rpcnet::Result<u32>;

    /// Answers at once or not at all.
    #[rpc(timeout = "250ms")]
    async fn weigh(&self) -> rpcnet::Result<u32>;

    /// Its name on the wire is not the one in the code.
    #[rpc(rename = "sort.v2")]
    async fn sort(&self) -> rpcnet::Result<()>;

    /// Computes for long: a plain `fn`, which runs on a thread where it is in nobody's way.
    #[rpc(blocking)]
    fn checksum(&self, data: Bytes) -> rpcnet::Result<u64>;

    /// Is not left half done when its caller gives up.
    #[rpc(no_cancel)]
    async fn tidy(&self, ctx: Context) -> rpcnet::Result<()>;
}
// ANCHOR_END: trait

#[derive(Default, Clone)]
struct Wood {
    count: Arc<AtomicU32>,
    tidied: Arc<Notify>,
}

impl Shelf for Wood {
    async fn count(&self) -> rpcnet::Result<u32> {
        Ok(self.count.load(Ordering::SeqCst))
    }

    async fn set(&self, count: u32) -> rpcnet::Result<()> {
        self.count.store(count, Ordering::SeqCst);
        Ok(())
    }

    async fn add(&self, count: u32) -> rpcnet::Result<u32> {
        Ok(self.count.fetch_add(count, Ordering::SeqCst) + count)
    }

    async fn take(&self, _request_id: Uuid, count: u32) -> rpcnet::Result<u32> {
        Ok(self.count.fetch_sub(count, Ordering::SeqCst) - count)
    }

    async fn weigh(&self) -> rpcnet::Result<u32> {
        std::future::pending().await
    }

    async fn sort(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    fn checksum(&self, data: Bytes) -> rpcnet::Result<u64> {
        Ok(data.iter().map(|byte| u64::from(*byte)).sum())
    }

    // ANCHOR: no_cancel
    async fn tidy(&self, ctx: Context) -> rpcnet::Result<()> {
        ctx.cancelled().await; // nobody waits any more: a moment at which another method would be gone
        self.tidied.notify_one();
        Ok(())
    }
    // ANCHOR_END: no_cancel
}

#[test]
fn what_is_said_of_a_repeat_is_part_of_the_description() {
    let shelf = ShelfServer::new(Wood::default());
    let repeatable = |name| {
        let methods = shelf.descriptor().methods;
        methods.iter().find(|method| method.name == name).unwrap().idempotency.is_repeatable()
    };
    assert!(repeatable("count") && repeatable("set"));
    assert!(!repeatable("add") && !repeatable("take") && !repeatable("sort.v2"));
}

// ANCHOR: keyed
#[tokio::test]
async fn a_repeat_is_given_the_answer_of_the_first() -> rpcnet::Result<()> {
    let shelf = ShelfClient::local(Wood::default());
    assert_eq!(shelf.add(10).await?, 10);
    assert_eq!(shelf.add(10).await?, 20); // another call, another id

    let request_id = Uuid::new_v4();
    assert_eq!(shelf.take(request_id, 5).await?, 15);
    assert_eq!(shelf.take(request_id, 5).await?, 15); // the same call again: it does not run
    assert_eq!(shelf.count().await?, 15);

    let error = shelf.take(request_id, 6).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::RequestIdReused));
    Ok(())
}
// ANCHOR_END: keyed

// ANCHOR: timeout
#[tokio::test(start_paused = true)]
async fn what_the_caller_says_goes_before_what_the_method_says() {
    let shelf = ShelfClient::local(Wood::default());
    let begun = tokio::time::Instant::now();
    assert_eq!(shelf.weigh().await.unwrap_err().reason(), Some(Reason::Deadline));
    assert_eq!(begun.elapsed().as_millis() / 10, 25);

    let patient = shelf.with(CallOptions::timeout(Duration::from_secs(60)));
    assert_eq!(patient.weigh().await.unwrap_err().reason(), Some(Reason::Deadline));
    assert_eq!(begun.elapsed().as_secs(), 60);
}
// ANCHOR_END: timeout

#[tokio::test]
async fn a_renamed_and_a_blocking_method_are_called_like_others() -> rpcnet::Result<()> {
    let shelf = ShelfClient::local(Wood::default());
    shelf.set(3).await?;
    shelf.sort().await?;
    assert_eq!(shelf.checksum(Bytes::from_static(&[1, 2])).await?, 3);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_method_that_cannot_be_cancelled_runs_to_its_end() {
    let wood = Wood::default();
    let shelf = ShelfClient::local(wood.clone());
    let call = tokio::time::timeout(Duration::from_secs(1), shelf.tidy()).await;
    assert!(call.is_err());
    wood.tidied.notified().await;
}

// ANCHOR: alias
mod before {
    use rpcnet::prelude::*;

    #[rpc_trait]
    pub(crate) trait Directory {
        async fn find(&self, name: String) -> rpcnet::Result<u32>;
    }
}

mod after {
    use rpcnet::prelude::*;

    #[rpc_trait]
    pub(crate) trait Directory {
        /// Was called `find`.
        #[rpc(alias = "find")]
        async fn look_up(&self, name: String) -> rpcnet::Result<u32>;
    }
}
// ANCHOR_END: alias

struct Phonebook;

impl before::Directory for Phonebook {
    async fn find(&self, name: String) -> rpcnet::Result<u32> {
        Ok(name.bytes().map(u32::from).sum())
    }
}

impl after::Directory for Phonebook {
    async fn look_up(&self, name: String) -> rpcnet::Result<u32> {
        before::Directory::find(self, name).await
    }
}

// ANCHOR: upgrade
#[tokio::test]
async fn the_servers_are_upgraded_first() -> Result<(), Box<dyn std::error::Error>> {
    let old_server = Local::new(before::DirectoryServer::new(Phonebook))?;
    let new_server = Local::new(after::DirectoryServer::new(Phonebook))?;

    // Clients of both versions call a new server.
    assert_eq!(before::DirectoryClient::new(new_server.clone()).find("ann".into()).await?, 317);
    assert_eq!(after::DirectoryClient::new(new_server).look_up("ann".into()).await?, 317);

    // A new client does not call an old one: nothing ran.
    let error = after::DirectoryClient::new(old_server).look_up("ann".into()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::UnknownMethod), Executed::No));
    Ok(())
}
// ANCHOR_END: upgrade
