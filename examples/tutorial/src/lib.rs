//! The programs of the book's tutorial: a service that does sums, what can be asked of it and what it answers.
//!
//! `ANCHOR` marks what the book includes.

// ANCHOR: service
use rpcnet::prelude::*;
use serde::{Deserialize, Serialize};

pub mod worker;

// ANCHOR: trait
/// Does sums.
#[rpc_trait]
pub trait Compute {
    /// Squares a number. The answer is the same however often one asks, so the call may be sent again.
    #[rpc(idempotent)]
    async fn square(&self, n: i64) -> Result<Squared, ComputeError>;

    /// Adds to a running total and answers the new one. Adding twice would be wrong: a repeated call is known by its
    /// request id, and answered without adding again.
    async fn add(&self, request_id: Uuid, n: i64) -> Result<i64, ComputeError>;
}
// ANCHOR_END: trait

/// A square, and who worked it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Squared {
    /// The square.
    pub value: i64,
    /// The name of the worker.
    pub by: String,
}

/// Why a sum has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ComputeError {
    /// The result is larger than an `i64` can be.
    #[error("the result does not fit into 64 bits")]
    Overflow,
}
// ANCHOR_END: service
