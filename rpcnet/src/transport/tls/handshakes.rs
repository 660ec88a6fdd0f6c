//! Handshakes under way at a listener: many at once, bounded, and the slow ones in nobody's way.

use std::collections::VecDeque;

use tokio::task::{AbortHandle, JoinSet};

use crate::transport::Accepted;

/// The handshakes under way.
#[derive(Default)]
pub(in crate::transport) struct Handshakes {
    tasks: JoinSet<Option<Accepted>>,
    /// In the order in which they began; those that are over stay until they are in front.
    order: VecDeque<AbortHandle>,
}

impl Handshakes {
    /// How many there are.
    #[cfg(feature = "quic")]
    pub(in crate::transport) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Begins one, which tells of its failure by itself.
    pub(in crate::transport) fn begin(
        &mut self,
        max: usize,
        handshake: impl Future<Output = Option<Accepted>> + Send + 'static,
    ) {
        self.make_room(max);
        self.order.push_back(self.tasks.spawn(handshake));
    }

    /// The next that succeeds. May be dropped and asked again.
    pub(in crate::transport) async fn next(&mut self) -> Accepted {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Some(accepted))) => return accepted,
                // It failed, which was said, or had to make room.
                Some(Ok(None) | Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Where clients connect and say nothing, the one that has said nothing for longest makes room for who may say something:
    /// a flood of them delays nobody by more than its own handshake.
    fn make_room(&mut self, max: usize) {
        while self.order.front().is_some_and(AbortHandle::is_finished) {
            self.order.pop_front();
        }
        if self.order.len() >= 2 * max {
            self.order.retain(|task| !task.is_finished());
        }
        if self.tasks.len() >= max
            && let Some(oldest) = self.order.pop_front()
        {
            tracing::debug!(max, "a TLS handshake makes room: as many as `handshakes_max` are under way");
            oldest.abort();
        }
    }
}
