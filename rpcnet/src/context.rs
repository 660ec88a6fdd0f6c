//! What a handler may know of the call it serves.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// The call a handler is serving: who asks, until when, under which request id.
///
/// A method that declares a parameter `ctx: Context` is given it; anything a handler calls finds it with
/// [`Context::current`]. A call made inside a handler inherits its deadline.
///
/// Costs nothing to clone but a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) request_id: Option<Uuid>,
}

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    /// The call being served by the handler that runs here, or `None` outside of any.
    ///
    /// A task spawned by a handler starts outside: what it does may outlive the call.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// The address the call came from, where the transport has one.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// When the caller stops waiting. `None` if the caller waits for ever, and for a keyed method, which runs on when its
    /// caller has given up.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the caller will still wait: zero when the deadline has passed, `None` when it waits for ever.
    pub fn remaining(&self) -> Option<Duration> {
        let now = tokio::time::Instant::now().into_std();
        self.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }

    /// The request id of a keyed call.
    pub fn request_id(&self) -> Option<Uuid> {
        self.request_id
    }

    /// Runs a function as part of the handler of this call: what it polls sees the call as [`Context::current`].
    pub(crate) fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), run)
    }
}
