//! What the workers do: count, take their time, and sometimes break.

use std::time::Duration;

use rpcnet::{CacheLimits, ServerBuilder, prelude::*};
use rpcnet_cluster::testkit::{TestCluster, TestNode};

use crate::books::Books;

/// What is called.
#[rpc_trait]
pub(crate) trait Counter {
    /// Adds an amount, once for each id. The answer is the amount and so many bytes.
    async fn add(&self, request_id: Uuid, amount: u64, bytes: u32) -> rpcnet::Result<(u64, Vec<u8>)>;
}

#[derive(Debug, Clone)]
struct Adds {
    books: Books,
}

impl Counter for Adds {
    async fn add(&self, request_id: Uuid, amount: u64, bytes: u32) -> rpcnet::Result<(u64, Vec<u8>)> {
        self.books.begin(request_id, amount);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..60))).await;
        assert!(fastrand::u32(0..2000) > 0, "as chance has it");
        self.books.end(request_id);
        Ok((amount, vec![7; bytes as usize]))
    }
}

/// Starts a worker, for the first time or again.
pub(crate) async fn start(cluster: &TestCluster, number: usize, books: &Books) -> TestNode {
    let service = CounterServer::new(Adds { books: books.clone() });
    let serve = |server: ServerBuilder| server.service(service).cache_limits(limits());
    cluster.node(&format!("worker-{number}")).tag("role", "worker").serve(serve).start().await
}

/// So little that answers shrink all the time, and calls are refused now and then.
fn limits() -> CacheLimits {
    let mut limits = CacheLimits::default();
    limits.window = Duration::from_secs(20);
    (limits.entries_max, limits.bytes_max, limits.answer_bytes_max) = (6_000, 64 << 10, 4 << 10);
    limits
}
