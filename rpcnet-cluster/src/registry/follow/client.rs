//! The following end: one stream at a time, from whichever node answers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rpcnet::{Address, Channel, Codec, Streaming, transport::Transport};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout},
};

use super::{
    super::source::Source,
    fold::Fold,
    protocol::{RegistryFeedClient, Update},
};
use crate::{
    dispatch::Backoff,
    membership::{ClusterEvent, NodeId},
};

/// How many events wait for the registry; while it takes none in, the stream waits.
const EVENTS_AHEAD: usize = 1_024;

/// How long a node may take from the first packet to the last piece of its picture.
const PICTURE_WITHIN: Duration = Duration::from_secs(5);

/// A node that was followed for so long was well: the next failure is the first one.
const WELL_AFTER: Duration = Duration::from_secs(5);

/// Pauses between attempts, by full jitter. 50 ms after a node is gone, so that a thousand followers do not meet at the
/// next one; at most 5 s, which is how long after an outage the last of them is back.
const PAUSES: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(5) };

/// Since when a picture is not kept up to date; `None` while it is.
pub(crate) type StaleSince = Option<Instant>;

/// The events that a task makes of what the nodes say.
#[derive(Debug)]
pub(super) struct Following {
    told: mpsc::Receiver<Told>,
    stale: watch::Sender<StaleSince>,
    /// Events were handed out that are not yet in the registry's picture.
    pending: bool,
    /// The picture is up to date once they are.
    fresh: bool,
}

#[derive(Debug)]
enum Told {
    Event(ClusterEvent),
    /// What was told so far is the whole picture of a node.
    Fresh,
}

impl Following {
    /// Follows the first of these that answers, on a task that ends when this is dropped.
    pub(super) fn start(
        addresses: Vec<Address>,
        transport: Arc<dyn Transport>,
    ) -> (Self, watch::Receiver<StaleSince>) {
        let (stale, since) = watch::channel(Some(Instant::now()));
        let (events, told) = mpsc::channel(EVENTS_AHEAD);
        let follower = Follower { transport, fold: Fold::default(), events, stale: stale.clone() };
        tokio::spawn(follower.run(addresses));
        (Self { told, stale, pending: false, fresh: false }, since)
    }
}

impl Source for Following {
    async fn recv(&mut self) -> Option<ClusterEvent> {
        loop {
            match self.told.recv().await? {
                Told::Event(event) => {
                    self.pending = true;
                    return Some(event);
                }
                Told::Fresh if self.pending => self.fresh = true,
                Told::Fresh => {
                    self.stale.send_replace(None);
                }
            }
        }
    }

    fn handle_taken_in(&mut self) {
        self.pending = false;
        if std::mem::take(&mut self.fresh) {
            self.stale.send_replace(None);
        }
    }

    /// Who is no member has no say in who is suspected. Calls avoid the worker by what they find themselves.
    fn report_failure(&mut self, _: NodeId) {}
}

struct Follower {
    transport: Arc<dyn Transport>,
    fold: Fold,
    events: mpsc::Sender<Told>,
    stale: watch::Sender<StaleSince>,
}

impl Follower {
    async fn run(mut self, addresses: Vec<Address>) {
        let events = self.events.clone();
        tokio::select! {
            () = self.go_on(addresses) => {}
            () = events.closed() => {}
        }
    }

    /// Follows one node after the other. Begins anywhere in the list, so that followers spread over the nodes.
    async fn go_on(&mut self, addresses: Vec<Address>) {
        if addresses.is_empty() {
            return;
        }
        let mut at = fastrand::usize(..addresses.len());
        let mut failures = 0_u32;
        loop {
            let (address, begun) = (&addresses[at], Instant::now());
            let error = self.follow(address).await;
            tracing::info!(%address, error, "registry: the node is followed no more, the next one is tried");
            self.stale.send_if_modified(|since| since.is_none() && since.replace(Instant::now()).is_none());
            failures = if begun.elapsed() < WELL_AFTER { failures.saturating_add(1) } else { 0 };
            at = (at + 1) % addresses.len();
            // Every node is tried once before the pauses grow.
            let rounds = failures / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
            tokio::time::sleep(PAUSES.delay(rounds, fastrand::f64())).await;
        }
    }

    /// Follows one node until that ends; says why it did.
    async fn follow(&mut self, address: &Address) -> String {
        self.fold.handle_moved();
        let channel = Channel::builder(address).shared_transport(Arc::clone(&self.transport)).lazy();
        let feed = RegistryFeedClient::new(channel);
        let mut stream = match timeout(PICTURE_WITHIN, self.take_picture(&feed)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return error,
            Err(_) => return format!("its picture was not there within {PICTURE_WITHIN:?}"),
        };
        if self.events.send(Told::Fresh).await.is_err() {
            return "nobody reads the registry".to_owned();
        }
        loop {
            if let Err(error) = self.take_next(&mut stream).await {
                return error;
            }
        }
    }

    /// Opens the stream, and takes in the picture that it begins with.
    async fn take_picture(&mut self, feed: &RegistryFeedClient<Channel>) -> Result<Streaming<Bytes>, String> {
        let mut stream = feed.follow().await.map_err(|error| error.to_string())?;
        while !self.fold.is_whole() {
            self.take_next(&mut stream).await?;
        }
        Ok(stream)
    }

    async fn take_next(&mut self, stream: &mut Streaming<Bytes>) -> Result<(), String> {
        let update = match stream.next().await {
            None => return Err("it has left its cluster".to_owned()),
            Some(update) => update.map_err(|status| status.to_string())?,
        };
        let update: Update = Codec::Bincode.decode(&update).map_err(|error| error.to_string())?;
        for event in self.fold.handle_update(update).map_err(|gap| gap.to_string())? {
            self.events.send(Told::Event(event)).await.map_err(|_| "nobody reads the registry".to_owned())?;
        }
        Ok(())
    }
}
