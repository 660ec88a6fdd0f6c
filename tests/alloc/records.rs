//! What a server spends on a request id that it remembers, counted by the allocator.
//!
//! One test, since the count is that of the whole process.

use peak_alloc::PeakAlloc;
use rpcnet::prelude::*;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// How many are alive: just more than what the index has room for before it doubles, which is when each costs most.
const IDS: usize = 57_500;

/// What `CacheLimits` promises of each, beside its answer.
const BYTES_MAX: usize = 100;

/// An answer of no bytes is an allocation with two counters.
const ANSWER: usize = 16;

#[rpc_trait]
trait Marks {
    async fn mark(&self, request_id: Uuid) -> rpcnet::Result<()>;
}

struct Board;

impl Marks for Board {
    async fn mark(&self, _request_id: Uuid) -> rpcnet::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_live_request_id_costs_at_most_a_hundred_bytes_beside_its_answer() {
    let marks = MarksClient::local(Board);
    let before = ALLOCATED.current_usage();
    for id in 0..IDS {
        marks.mark(Uuid::from_u128(id as u128)).await.unwrap();
    }
    let each = (ALLOCATED.current_usage() - before) / IDS;
    println!("{each} bytes a live id, {ANSWER} of them its answer");
    assert!(each <= BYTES_MAX + ANSWER, "{each} bytes each");
    assert!(each > 40, "{each} bytes each: less than the facts that are to be remembered");
}
