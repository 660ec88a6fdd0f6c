//! The process that does the work.

use std::{error::Error, net::SocketAddr};

use bytes::Bytes;
use rpcnet::Server;
use rpcnet_cluster::ClusterMembership;
use tokio::task::JoinSet;

use crate::{
    child::Ready,
    work::{Answer, PIECE_BYTES_MAX, Packed, Work, WorkError, WorkServer},
};

/// Serves [`Work`] and is a member of the cluster, until the process ends.
pub(crate) async fn run(label: String, seeds: Vec<SocketAddr>) -> Result<(), Box<dyn Error>> {
    let worker = Worker { label: label.clone() };
    let server = Server::builder().service(WorkServer::new(worker)).bind("127.0.0.1:0").await?;
    let cluster = ClusterMembership::builder()
        .bind("127.0.0.1:0")
        .seeds(seeds)
        .label(label)
        .tag("role", "worker")
        .advertise(server.local_addr())
        .join()
        .await?;
    Ready { rpc: server.local_addr(), gossip: cluster.local_addr() }.tell()?;
    server.serve().await;
    Ok(())
}

struct Worker {
    label: String,
}

impl Work for Worker {
    async fn pack(&self, piece: Bytes) -> Result<Answer, WorkError> {
        if piece.len() > PIECE_BYTES_MAX {
            return Err(WorkError::TooLarge { bytes: piece.len() });
        }
        // On the threads for long work: those of the network have heartbeats to answer, however much there is to pack.
        // A call that is given up while it waits for a thread takes the set with it, and is never computed.
        let mut packing = JoinSet::new();
        packing.spawn_blocking(move || Packed::of(&piece));
        match packing.join_next().await {
            Some(Ok(packed)) => Ok(Answer { worker: self.label.clone(), packed }),
            Some(Err(error)) => Err(WorkError::GaveUp(error.to_string())),
            None => unreachable!("the set holds one task"),
        }
    }
}
