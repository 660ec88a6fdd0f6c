//! The worker: what happens when `Compute` is called.

// ANCHOR: worker
use std::{sync::Mutex, time::Duration};

use rpcnet::prelude::*;

use crate::{Compute, ComputeError, Squared};

/// Does the sums.
#[derive(Debug)]
pub struct Worker {
    name: String,
    total: Mutex<i64>,
}

impl Worker {
    /// A worker that signs its answers with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), total: Mutex::new(0) }
    }
}

impl Compute for Worker {
    async fn square(&self, n: i64) -> Result<Squared, ComputeError> {
        tokio::time::sleep(Duration::from_millis(20)).await; // stands for work
        let value = n.checked_mul(n).ok_or(ComputeError::Overflow)?;
        Ok(Squared { value, by: self.name.clone() })
    }

    async fn add(&self, _request_id: Uuid, n: i64) -> Result<i64, ComputeError> {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut total = self.total.lock().expect("nothing panics while it is locked");
        *total = total.checked_add(n).ok_or(ComputeError::Overflow)?;
        Ok(*total)
    }
}
// ANCHOR_END: worker
