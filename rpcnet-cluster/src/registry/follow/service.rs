//! The followed end: a stream for each follower.

use std::sync::Arc;

use bytes::Bytes;
use rpcnet::{AppError, Service, StreamSender, Streaming};
use tokio::sync::{broadcast::error::RecvError, watch};

use super::{
    super::source::Source,
    feed::Feed,
    protocol::{RegistryFeed, RegistryFeedServer},
};
use crate::{
    agent::{ClusterMembership, Events},
    membership::{ClusterEvent, NodeId},
};

/// How many messages wait between the shared channel and a follower's stream; the stream has its own window.
const AHEAD: usize = 1;

/// The view of a member, as a service. It does not keep the node running.
pub(in crate::registry) fn service(cluster: &ClusterMembership) -> impl Service + use<> {
    let feed = Feed::start(cluster.subscribe());
    RegistryFeedServer::new(Followed { feed, joined: cluster.is_joined() })
}

#[derive(Debug)]
struct Followed {
    feed: Arc<Feed>,
    joined: watch::Receiver<bool>,
}

/// A node's events by themselves: whoever follows from outside reports nothing.
impl Source for Events {
    async fn recv(&mut self) -> Option<ClusterEvent> {
        Self::recv(self).await
    }

    fn report_failure(&mut self, _: NodeId) {}
}

impl RegistryFeed for Followed {
    async fn follow(&self) -> Result<Streaming<Bytes>, AppError> {
        // A node that was started again knows only itself: a follower would take all others for gone.
        if !*self.joined.borrow() {
            return Err(AppError::msg("this node has not joined its cluster yet"));
        }
        let (sender, stream) = Streaming::channel(AHEAD);
        tokio::spawn(tell(Arc::clone(&self.feed), sender));
        Ok(stream)
    }
}

/// Tells one follower everything, until it goes or the node leaves.
pub(super) async fn tell(feed: Arc<Feed>, sender: StreamSender<Bytes>) {
    while let Some((picture, mut changes)) = feed.place() {
        for piece in picture.iter() {
            if sender.send(piece.clone()).await.is_err() {
                return;
            }
        }
        // Held no longer than it takes to tell it: followers of different versions would each keep one.
        drop(picture);
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                () = sender.closed() => return,
            };
            match change {
                Ok(change) => {
                    if sender.send(change).await.is_err() {
                        return;
                    }
                }
                // Too slow: nothing is kept for it, it gets the picture of now.
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return sender.finish(),
            }
        }
    }
    sender.finish();
}
