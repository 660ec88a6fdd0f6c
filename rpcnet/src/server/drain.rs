//! Ending a server from outside: it is told once, and whoever told it waits for the end.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::admission::ServerLoad;

/// What a server and its handles tell each other.
#[derive(Debug)]
struct Shared {
    /// For how long calls may go on; nothing while the server serves.
    order: watch::Sender<Option<Duration>>,
    /// How it ended.
    end: watch::Sender<Option<Drained>>,
}

/// The server's side. However the server ends, dropping this tells those who wait.
#[derive(Debug)]
pub(super) struct Serving(Arc<Shared>);

impl Serving {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared { order: watch::Sender::new(None), end: watch::Sender::new(None) }))
    }

    pub(super) fn handle(&self, load: ServerLoad) -> ServerHandle {
        ServerHandle { shared: Arc::clone(&self.0), load }
    }

    /// Waits for the order to end; says for how long calls may go on.
    pub(super) fn ordered(&self) -> impl Future<Output = Duration> + Send + use<> {
        let mut orders = self.0.order.subscribe();
        let shared = Arc::clone(&self.0);
        async move {
            while orders.borrow_and_update().is_none() {
                // The sender is held right here.
                let _ = orders.changed().await;
            }
            drop(shared);
            let order = *orders.borrow();
            order.unwrap_or_default()
        }
    }

    /// The server has ended.
    pub(super) fn end(self, drained: Drained) {
        self.0.end.send_replace(Some(drained));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_default();
            first
        });
    }
}

/// A [`Server`](crate::Server) seen from outside while it serves: how busy it is, and how to end it. From
/// [`Server::handle`](crate::Server::handle).
///
/// Cheap to clone; keeps nothing running.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    shared: Arc<Shared>,
    load: ServerLoad,
}

/// How a server ended that was told to.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use rpcnet::Server;
///
/// let server = Server::builder().bind("127.0.0.1:0").await?;
/// let handle = server.handle();
/// let serving = tokio::spawn(server.serve());
/// let drained = handle.drain(Duration::from_secs(5)).await;
/// assert_eq!(drained.cut_off, 0, "every call had its answer");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Calls that were still running, or waiting for their turn, when their time was over, as [`ServerLoad`] counts them. Their
    /// callers do not know what became of those that ran.
    pub cut_off: usize,
}

impl ServerHandle {
    /// How many calls the server runs, keeps waiting and has refused.
    pub fn load(&self) -> &ServerLoad {
        &self.load
    }

    /// Ends the server, and waits until it has ended:
    ///
    /// 1. nobody can connect any more, and each connection is told which of its calls was the last to be taken;
    /// 2. later ones are refused with [`Reason::Draining`](crate::Reason::Draining): none of them has run, and a client that
    ///    knows other servers goes there;
    /// 3. the calls under way may go on for `grace`, those that wait for their turn too, and their answers arrive;
    /// 4. what is left is cancelled, and every connection is closed.
    ///
    /// It returns as soon as there is nothing left to wait for. The first order counts: of two the grace is that of the first,
    /// and [`serve_with_shutdown`](crate::Server::serve_with_shutdown)'s own shutdown is one. Dropping the future does not
    /// call the order back. A server that was never told to serve ends when it is dropped, and one that is told to serve after
    /// this ends at once.
    ///
    /// A worker of a cluster says first that it is leaving, so that nobody is refused: `ClusterMembership::drain` does both.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use rpcnet::Server;
    ///
    /// let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) }).bind("127.0.0.1:0").await?;
    /// let handle = server.handle();
    /// let serving = tokio::spawn(server.serve());
    /// // … until the process is told to end:
    /// let drained = handle.drain(Duration::from_secs(10)).await;
    /// assert_eq!(drained.cut_off, 0);
    /// serving.await?;
    /// # Ok(()) }
    /// ```
    pub async fn drain(&self, grace: Duration) -> Drained {
        self.shared.order.send_if_modified(|order| {
            let first = order.is_none();
            order.get_or_insert(grace);
            first
        });
        let mut end = self.shared.end.subscribe();
        // The sender is held by this very handle: there is always an end to wait for.
        end.wait_for(Option::is_some).await.map_or_else(|_| Drained::default(), |end| end.unwrap_or_default())
    }
}
