//! A call that goes out, as the layers of a client see it.

use bytes::Bytes;
use tokio::time::Instant;

use super::fate::Fate;
use crate::{
    client::{caller::Request, options::CallOptions},
    metadata::Metadata,
    streaming::Streaming,
};

/// A call that goes out: what a client's layers are given.
///
/// It cannot be made, only passed on or dropped, so that it is always known whether it was [let
/// through](super#what-an-error-of-a-layer-says-to-the-caller).
#[derive(Debug)]
pub struct Outgoing {
    request: Request,
    /// Whether the method has a stream in one direction at least.
    streaming: bool,
    /// What the client streams.
    items: Option<Streaming<Bytes>>,
    deadline: Option<Instant>,
    pub(super) fate: Fate,
}

impl Outgoing {
    /// A call that sets out now. What would be asked of its surroundings later is settled here: a layer may carry it to
    /// another task.
    pub(super) fn new(
        mut request: Request,
        defaults: &CallOptions,
        (streaming, items): (bool, Option<Streaming<Bytes>>),
    ) -> Self {
        request.options = request.options.or(defaults);
        request.options.set_trace(request.options.trace_now());
        let now = Instant::now().into_std();
        let deadline = match streaming {
            true => request.options.explicit_deadline(now),
            false => Some(request.options.deadline(now)),
        };
        let fate = Fate::new(Some(request.name.clone()));
        Self { request, streaming, items, deadline: deadline.map(Instant::from_std), fate }
    }

    /// The call, encoded.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The call, to be changed.
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// What travels with the call beside its arguments, to be added to.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        self.request.options.metadata_mut()
    }

    /// When the caller stops waiting, whatever the layers do. `None` for a call with streams that was given no deadline.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the method has a stream in one direction at least.
    pub fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// What the client streams, to be taken and put back changed; `None` if it streams nothing.
    pub fn items_mut(&mut self) -> &mut Option<Streaming<Bytes>> {
        &mut self.items
    }

    /// The same call once more, for a layer that may have to repeat it. `None` if it streams to the server: a stream is read
    /// once.
    ///
    /// Whether a repeat is safe is for [`Request::idempotency`] and [`Status::executed`](crate::Status::executed) to say.
    pub fn try_clone(&self) -> Option<Self> {
        match self.items {
            Some(_) => None,
            None => Some(Self {
                request: self.request.clone(),
                streaming: self.streaming,
                items: None,
                deadline: self.deadline,
                fate: self.fate.clone(),
            }),
        }
    }

    /// The call as it is sent, by the time that is left.
    pub(super) fn into_parts(mut self) -> (Request, bool, Option<Streaming<Bytes>>, Fate) {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let options = &mut self.request.options;
        options.timeout = options.timeout.into_iter().chain(left).min();
        (self.request, self.streaming, self.items, self.fate)
    }
}
