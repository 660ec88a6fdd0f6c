//! A service that only one thread may touch.

use std::cell::Cell;

use rpcnet::prelude::*;

#[rpc_trait]
pub trait Counter {
    async fn add(&self, number: u64) -> rpcnet::Result<u64>;
}

struct Memory {
    sum: Cell<u64>,
}

impl Counter for Memory {
    async fn add(&self, number: u64) -> rpcnet::Result<u64> {
        self.sum.set(self.sum.get() + number);
        Ok(self.sum.get())
    }
}

fn main() {}
