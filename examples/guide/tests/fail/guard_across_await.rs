//! A lock is held while the handler waits.

use std::sync::Mutex;

use rpcnet::prelude::*;

#[rpc_trait]
pub trait Log {
    async fn append(&self, line: String) -> rpcnet::Result<usize>;
}

struct Journal {
    lines: Mutex<Vec<String>>,
}

impl Log for Journal {
    async fn append(&self, line: String) -> rpcnet::Result<usize> {
        let mut lines = self.lines.lock().unwrap();
        lines.push(line);
        tokio::task::yield_now().await;
        Ok(lines.len())
    }
}

fn main() {}
