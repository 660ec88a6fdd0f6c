//! What the server serves: something for each attack.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rpcnet::{AppError, prelude::*};
use serde::{Deserialize, Serialize};

/// A type that contains itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tree(pub(crate) Vec<Tree>);

/// The service that is attacked.
#[rpc_trait]
pub(crate) trait Target {
    /// What the client that behaves calls.
    #[rpc(read)]
    async fn echo(&self, text: String) -> rpcnet::Result<String>;

    /// Counts.
    async fn numbers(&self, numbers: Vec<u64>) -> rpcnet::Result<usize>;

    /// Counts the children.
    async fn tree(&self, tree: Tree) -> rpcnet::Result<usize>;

    /// A megabyte.
    async fn blob(&self) -> rpcnet::Result<Bytes>;

    /// Never answers.
    async fn hold(&self) -> rpcnet::Result<()>;

    /// Goes on until its own time is over, since a repeat is to find its answer.
    async fn keyed(&self, request_id: Uuid) -> rpcnet::Result<()>;

    /// Goes on until its own time is over, whoever waits for it.
    #[rpc(no_cancel)]
    async fn stubborn(&self) -> rpcnet::Result<()>;

    /// Holds its thread until its own time is over.
    #[rpc(blocking)]
    fn blocking(&self) -> rpcnet::Result<()>;

    /// Never reads.
    async fn sink(&self, items: Streaming<Bytes>) -> rpcnet::Result<()>;

    /// Never ends.
    async fn source(&self) -> rpcnet::Result<Streaming<Bytes>>;
}

/// How long those take that cannot be cancelled.
const STUBBORN: Duration = Duration::from_millis(500);

/// The bytes of an item of `source`.
const SOURCE_ITEM: usize = 1000;

/// How many handlers that cannot be cancelled run, and how many did at most.
#[derive(Debug, Default, Clone)]
pub(crate) struct Outcomes(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Outcomes {
    pub(crate) fn most_at_once(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Running {
        let running = self.0.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.most.fetch_max(running, Ordering::Relaxed);
        Running(Arc::clone(&self.0))
    }
}

/// A handler that runs.
struct Running(Arc<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(crate) struct Victim(pub(crate) Outcomes);

impl Target for Victim {
    async fn echo(&self, text: String) -> rpcnet::Result<String> {
        Ok(text)
    }

    async fn numbers(&self, numbers: Vec<u64>) -> rpcnet::Result<usize> {
        Ok(numbers.len())
    }

    async fn tree(&self, tree: Tree) -> rpcnet::Result<usize> {
        Ok(tree.0.len())
    }

    async fn blob(&self) -> rpcnet::Result<Bytes> {
        Ok(vec![7; 1 << 20].into())
    }

    async fn hold(&self) -> rpcnet::Result<()> {
        std::future::pending().await
    }

    async fn keyed(&self, _request_id: Uuid) -> rpcnet::Result<()> {
        let _running = self.0.enter();
        tokio::time::sleep(STUBBORN).await;
        Ok(())
    }

    async fn stubborn(&self) -> rpcnet::Result<()> {
        let _running = self.0.enter();
        tokio::time::sleep(STUBBORN).await;
        Ok(())
    }

    fn blocking(&self) -> rpcnet::Result<()> {
        let _running = self.0.enter();
        let until = Instant::now() + STUBBORN;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
        }
        Ok(())
    }

    async fn sink(&self, _items: Streaming<Bytes>) -> rpcnet::Result<()> {
        std::future::pending().await
    }

    async fn source(&self) -> rpcnet::Result<Streaming<Bytes>> {
        Ok(Streaming::iter(std::iter::repeat_with(|| Bytes::from(vec![7; SOURCE_ITEM]))))
    }
}

/// Keeps its argument for ever.
pub(crate) async fn hold_bytes(bytes: Bytes) -> Result<Bytes, AppError> {
    std::future::pending::<()>().await;
    Ok(bytes)
}
