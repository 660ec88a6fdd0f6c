//! What each node serves: a ledger whose writes need the quorum, written to and read by the node itself, over and over.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rpcnet::{Channel, Server, prelude::*};
use rpcnet_cluster::ClusterMembership;

use crate::Outcome;
use crate::node::tell;

/// How often it is written to and read.
const EVERY: Duration = Duration::from_millis(250);

#[rpc_trait]
trait Ledger {
    #[rpc(read)]
    async fn balance(&self) -> rpcnet::Result<u64>;

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64>;
}

#[derive(Default)]
struct Account(AtomicU64);

impl Ledger for Account {
    async fn balance(&self) -> rpcnet::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    async fn deposit(&self, cents: u64) -> rpcnet::Result<u64> {
        Ok(self.0.fetch_add(cents, Ordering::Relaxed) + cents)
    }
}

/// Serves it to its own host, and tells whenever something else becomes of a write or of a read.
pub(crate) async fn serve(node: &ClusterMembership) -> Outcome<()> {
    let server = Server::builder().layer(node.quorum_gate()).service(LedgerServer::new(Account::default()));
    let server = server.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let ledger = LedgerClient::new(Channel::builder(server.local_addr()).lazy());
    tokio::spawn(server.serve());
    tokio::spawn(async move {
        let mut said = String::new();
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            let now = match (ledger.balance().await, ledger.deposit(1).await) {
                (Err(error), _) => format!("unread {error}"),
                (Ok(_), Err(error)) => format!("refuses {error}"),
                (Ok(_), Ok(_)) => "writes".to_owned(),
            };
            // Whoever listened has ended, and this process ends too.
            if now != said && tell(&now).is_err() {
                return;
            }
            said = now;
        }
    });
    Ok(())
}
