//! Accepts connections until told to stop, and then lets them finish.

use std::{collections::BTreeMap, future::poll_fn, io, sync::Arc, time::Duration};

use tokio::task::{Id, JoinSet};

use super::{
    connection::Served,
    drain::{Drained, Serving},
    router::Router,
    services::Services,
    settings::Settings,
};
use crate::transport::{Accepted, Listener};

/// How long the loop rests after an accept that failed for want of something, such as file descriptors: without it the
/// same error would come back at once, for ever.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a client may take, once it was told that the server leaves, to close a connection on which nothing is under
/// way: time for the news to reach it.
const LINGER: Duration = Duration::from_millis(500);

/// The accept loop and the connections it has accepted.
pub(super) struct Accept {
    listener: Box<dyn Listener>,
    services: Arc<Services>,
    connections_max: usize,
    shutdown_timeout: Duration,
    tasks: JoinSet<()>,
    served: BTreeMap<Id, Served>,
}

impl Accept {
    pub(super) fn new(listener: Box<dyn Listener>, router: Router, settings: Settings) -> Self {
        let Settings { connections_max, shutdown_timeout, .. } = settings;
        let services = Services::new(router, settings);
        let (tasks, served) = (JoinSet::new(), BTreeMap::new());
        Self { listener, services, connections_max, shutdown_timeout, tasks, served }
    }

    pub(super) async fn run(mut self, serving: Serving, shutdown: impl Future<Output = ()>) {
        let (mut shutdown, mut ordered) = (std::pin::pin!(shutdown), std::pin::pin!(serving.ordered()));
        let grace = loop {
            let listener = &mut self.listener;
            tokio::select! {
                // In this order, so that a simulated run of one seed goes one way.
                biased;
                () = &mut shutdown => break self.shutdown_timeout,
                grace = &mut ordered => break grace,
                Some(ended) = self.tasks.join_next_with_id() => self.forget(ended),
                accepted = poll_fn(|cx| listener.poll_accept(cx)) => self.accepted(accepted).await,
            }
        };
        serving.end(self.drain(grace).await);
    }

    /// No error ends the loop: it is that of one connection, or passes.
    async fn accepted(&mut self, accepted: io::Result<Accepted>) {
        match accepted {
            Ok(Accepted { peer, .. }) if self.served.len() >= self.connections_max => {
                let max = self.connections_max;
                tracing::warn!(%peer, max, "connection closed: as many as `connections_max` are served");
            }
            Ok(accepted) => {
                let (served, connection) = Served::start(accepted, Arc::clone(&self.services));
                let task = self.tasks.spawn(connection);
                self.served.insert(task.id(), served);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "the task of a connection failed");
                error.id()
            }
        };
        self.served.remove(&id);
    }

    /// Lets the calls under way finish, for as long as they may.
    async fn drain(mut self, grace: Duration) -> Drained {
        drop(self.listener);
        self.served.values().for_each(Served::drain);
        let finish = async {
            while !self.tasks.is_empty() {
                let joined = tokio::time::timeout(LINGER, self.tasks.join_next()).await;
                if joined.is_err() {
                    self.served.values().for_each(Served::close_if_idle);
                }
            }
            self.services.finish().await;
        };
        if tokio::time::timeout(grace, finish).await.is_ok() {
            return Drained::default();
        }
        let (left, cut_off) = (self.tasks.len(), self.services.admission.under_way());
        tracing::warn!(
            left,
            cut_off,
            ?grace,
            "connections closed: the time to finish is over, and calls are still under way"
        );
        self.served.values().for_each(Served::close);
        while self.tasks.join_next().await.is_some() {}
        Drained { cut_off }
    }
}
