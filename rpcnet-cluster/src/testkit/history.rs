//! What a node was told, and when.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{ClusterEvent, ClusterMembership};

/// An event that a node was told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// When, from the start of the node.
    pub after: Duration,
    /// What.
    pub event: ClusterEvent,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct History(Arc<Mutex<Vec<Told>>>);

impl History {
    /// What a node is told from now on, until it ends.
    pub(super) fn of(membership: &ClusterMembership) -> Self {
        let (history, begin) = (Self::default(), Instant::now());
        let (mut events, told) = (membership.subscribe(), history.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                told.0.lock().push(Told { after: begin.elapsed(), event });
            }
        });
        history
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.0.lock().clone()
    }
}
