//! What the workers do: count, take their time, and sometimes break.

use std::{path::PathBuf, time::Duration};

use rpcnet::{CacheLimits, ServerBuilder, WhenFull, prelude::*, store::RedbStore};
use rpcnet_cluster::testkit::{TestCluster, TestNode};

use crate::{
    books::{Books, Process},
    store::Kind,
};

/// What is called.
#[rpc_trait]
pub(crate) trait Counter {
    /// Adds an amount, once for each id. The answer is the amount and so many bytes.
    async fn add(&self, request_id: Uuid, amount: u64, bytes: u32) -> rpcnet::Result<(u64, Vec<u8>)>;
}

#[derive(Debug, Clone)]
struct Adds {
    books: Books,
    process: Process,
}

impl Counter for Adds {
    async fn add(&self, request_id: Uuid, amount: u64, bytes: u32) -> rpcnet::Result<(u64, Vec<u8>)> {
        self.books.begin(self.process, request_id, amount);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..60))).await;
        assert!(fastrand::u32(0..2000) > 0, "as chance has it");
        self.books.end(request_id);
        Ok((amount, vec![7; bytes as usize]))
    }
}

/// A worker, and the process it is now.
pub(crate) struct Worker {
    pub(crate) node: TestNode,
    pub(crate) process: Process,
}

/// Starts a worker, for the first time or again.
pub(crate) async fn start(
    cluster: &TestCluster,
    number: usize,
    books: &Books,
    shelf: &Shelf,
    limits: CacheLimits,
) -> Worker {
    let process = books.start();
    let service = CounterServer::new(Adds { books: books.clone(), process });
    let store = shelf.store(number, limits).await;
    let serve = move |server: ServerBuilder| {
        let server = server.service(service).cache_limits(limits);
        match store {
            Some(store) => server.store(store),
            None => server,
        }
    };
    let node = cluster.node(&format!("worker-{number}")).tag("role", "worker").serve(serve);
    Worker { node: node.start().await, process }
}

/// Where the records of the workers outlive them, if they do; gone when this is.
pub(crate) struct Shelf(Option<PathBuf>);

impl Shelf {
    pub(crate) fn new(kind: Kind) -> Self {
        Self((kind == Kind::Redb).then(|| {
            let path = std::env::temp_dir().join(format!("rpcnet-{}", Uuid::new_v4()));
            std::fs::create_dir(&path).expect("the folder for temporary files");
            path
        }))
    }

    async fn store(&self, number: usize, limits: CacheLimits) -> Option<RedbStore> {
        let file = self.0.as_ref()?.join(format!("worker-{number}"));
        loop {
            match RedbStore::open(&file, limits) {
                Ok(store) => return Some(store),
                // What the worker before it had begun to write is being written.
                Err(error) if error.to_string().contains("already open") => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| drop(std::fs::remove_dir_all(path)));
    }
}

/// So little that answers shrink all the time, calls are refused now and then or, with every other seed, records are forgotten
/// before their time.
pub(crate) fn limits(seed: u64) -> CacheLimits {
    let mut limits = CacheLimits::default();
    limits.window = Duration::from_secs(20);
    (limits.bytes_max, limits.answer_bytes_max) = (64 << 10, 4 << 10);
    (limits.entries_max, limits.when_full) =
        if seed.is_multiple_of(2) { (200, WhenFull::Strict) } else { (100, WhenFull::BestEffort) };
    limits
}
