//! How a worker takes its leave: in an order in which no call fails.

use std::time::Duration;

use rpcnet::{Drained, ServerHandle};

use super::ClusterMembership;
use crate::membership::DRAINING_TAG;

impl ClusterMembership {
    /// How long a draining worker takes calls as before: twice what its news needs to be with everybody. It arrives
    /// within a second, and a lost datagram costs it some hundred milliseconds.
    pub const DRAIN_NOTICE: Duration = Duration::from_secs(2);

    /// Takes a worker out of the cluster without failing a call: what to do when a process is told to end. `server` is the
    /// [`handle`](rpcnet::Server::handle) of its server, `grace` how long calls may go on.
    ///
    /// 1. The node says that it is draining, and its server goes on as before for [`DRAIN_NOTICE`](Self::DRAIN_NOTICE):
    ///    whoever hears of it makes new calls elsewhere, and those that are under way run on.
    /// 2. The server takes no more calls. A client that has not heard is told, knows that its call has not run, and makes it
    ///    elsewhere.
    /// 3. Calls under way may go on for `grace`; what is left is cancelled, and counted in what this returns.
    /// 4. The node leaves the cluster.
    ///
    /// It takes two seconds, as long as the longest call up to `grace`, and the farewell, which is heard in milliseconds and
    /// given up after three seconds: a process manager should wait for `grace` and ten seconds more before it kills.
    /// Dropping the future stops this where it is: the worker stays out of use until the node leaves.
    ///
    /// A tag of the node carries the news ([`membership::DRAINING_TAG`](crate::membership::DRAINING_TAG)). A node whose tags
    /// are as large as they may be already has no room for it: it drains all the same, and its clients learn of it in
    /// step 2, at the cost of a round trip.
    ///
    /// ```no_run
    /// # async fn example(stop: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use rpcnet::Server;
    /// use rpcnet_cluster::ClusterMembership;
    ///
    /// let server = Server::builder().bind("127.0.0.1:0").await?;
    /// let cluster = ClusterMembership::builder().seeds(["10.0.0.5:7946"]).advertise(server.local_addr()).join().await?;
    /// let handle = server.handle();
    /// tokio::spawn(server.serve());
    /// stop.await;
    /// cluster.drain(&handle, Duration::from_secs(20)).await;
    /// # Ok(()) }
    /// ```
    pub async fn drain(&self, server: &ServerHandle, grace: Duration) -> Drained {
        match self.set_tag(DRAINING_TAG, "yes").await {
            Ok(()) => tokio::time::sleep(Self::DRAIN_NOTICE).await,
            // Nobody will hear, so there is nothing to wait for.
            Err(error) => tracing::warn!(%error, "the cluster cannot be told that this worker is draining"),
        }
        let drained = server.drain(grace).await;
        self.leave().await;
        drained
    }
}
