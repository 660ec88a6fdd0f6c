//! A channel to one server: opens its connection when needed, and again when it was lost.

mod begin;
mod builder;
mod line;
mod redial;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

pub use builder::ChannelBuilder;

use self::{begin::Kind, line::Line};
use super::{
    caller::{Answer, Caller, Request},
    connect::ConnectError,
    options::CallOptions,
    sent::{Attempted, SentIds},
};
use crate::{
    body::Streamed,
    codec::Codec,
    error::CallError,
    status::{Executed, Status},
    streaming::Streaming,
    transport::Address,
};

/// A channel to one server.
///
/// Cheap to clone; clones share one connection (or [several](ChannelBuilder::connections)), over which as many calls run at
/// once as the server takes (4096 by default; one more fails with [`Reason::TooManyCalls`](crate::Reason::TooManyCalls)). A
/// lost connection fails the calls that were on it and is opened again by the next call. The connection closes when the last
/// clone and the last call are gone.
///
/// A server that cannot be reached is not tried again at once: calls fail with the last error for 50 ms, then for twice as long
/// with each further failure, up to 3 s, with jitter. A call that should wait for the server says so, by
/// [`CallOptions::wait_for_ready`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = rpcnet::Channel::connect("127.0.0.1:7001").await?;
/// let answer = channel.call("compute", vec![1, 2, 3]).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Channel {
    inner: Arc<Inner>,
    options: CallOptions,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    codec: Codec,
    /// One, unless more were asked for.
    lines: Vec<Arc<Line>>,
    /// Counts the calls, which take the lines in turn.
    calls: AtomicUsize,
    /// The keyed calls it has carried.
    sent: SentIds<()>,
}

impl Channel {
    /// How long opening a connection may take: a handshake across the world and one lost packet.
    pub const CONNECT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

    /// Opens a channel with the default settings.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached now. [`Channel::builder`] can open one lazily.
    pub async fn connect(address: impl Into<Address>) -> Result<Self, ConnectError> {
        Self::builder(address).connect().await
    }

    /// Settings for a channel.
    pub fn builder(address: impl Into<Address>) -> ChannelBuilder {
        ChannelBuilder::new(address.into())
    }

    /// The same channel; calls without options of their own use these.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { inner: Arc::clone(&self.inner), options: options.or(&self.options) }
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Calls a method by name with bytes, and gets bytes: `"compute"` for a handler registered under that name,
    /// `"Compute/square"` for a method of a typed service, whose arguments are then those bytes encoded.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. The error of a typed method, whose type is not known here, is reported by its size.
    pub async fn call(&self, name: &str, payload: impl Into<Bytes>) -> Result<Bytes, CallError> {
        let answer = self.invoke(Request::untyped(name, payload, self.options.clone())).await?;
        answer.untyped(self.codec())
    }

    /// Opens the connection unless it is open; all of them, if there are to be several.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        for line in &self.inner.lines {
            line.connect().await?;
        }
        Ok(())
    }

    /// Whether a connection is open at this moment and takes calls.
    pub fn is_connected(&self) -> bool {
        self.inner.lines.iter().any(|line| line.open_connection().is_some())
    }

    /// Closes the connection at once: calls in flight fail. The next call opens a new one.
    pub fn disconnect(&self) {
        self.inner.lines.iter().for_each(|line| line.disconnect());
    }

    /// What the call's options leave open is as the channel's say.
    fn take_options(&self, request: &mut Request) {
        request.options = std::mem::take(&mut request.options).or(&self.options);
    }

    /// Says of a keyed call what this channel has sent of it before. Gives back the id of one that is sent for the first
    /// time.
    fn mark_repeat(&self, now: Instant, request: &mut Request) -> Option<Uuid> {
        let id = request.request_id.filter(|_| request.attempted.is_none())?;
        let since = request.options.first_sent_at_set();
        let attempted = self.inner.sent.send(now.into_std(), id, (), since);
        // There is one address, and whether its process is still the same follows from the age.
        request.attempted = attempted.map(|attempted| Attempted { elsewhere: false, ..attempted });
        attempted.is_none().then_some(id)
    }

    fn at(&self, request: &Request, status: Status) -> Status {
        status.at(format_args!("{} at {}", request.name, self.address()))
    }
}

impl Inner {
    /// The lines in turn.
    fn next_line(&self) -> &Arc<Line> {
        match &self.lines[..] {
            [only] => only,
            lines => &lines[self.calls.fetch_add(1, Ordering::Relaxed) % lines.len()],
        }
    }
}

impl Caller for Channel {
    #[expect(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` would have room for the request twice"
    )]
    fn invoke(&self, mut request: Request) -> impl Future<Output = Result<Answer, Status>> + Send {
        async move {
            let now = Instant::now();
            self.take_options(&mut request);
            let deadline = Instant::from_std(request.options.deadline(now.into_std()));
            let first = self.mark_repeat(now, &mut request);
            let answer = match self.begin(now, &mut request, Some(deadline), Kind::Unary).await {
                Ok(call) => call.await,
                Err(status) => Err(status),
            };
            if let (Some(id), Err(status)) = (first, &answer)
                && status.executed() == Executed::No
            {
                self.inner.sent.take_back(id);
            }
            answer.map(|streamed| streamed.answer).map_err(|status| self.at(&request, status))
        }
    }

    async fn stream(
        &self,
        mut request: Request,
        items: Option<Streaming<Bytes>>,
    ) -> Result<Streamed, Status> {
        let now = Instant::now();
        self.take_options(&mut request);
        let deadline = request.options.explicit_deadline(now.into_std()).map(Instant::from_std);
        let kind = Kind::Streaming { items: items.is_some() };
        let answer = match self.begin(now, &mut request, deadline, kind).await {
            Ok(call) => {
                items.into_iter().for_each(|items| call.send(items));
                call.await
            }
            Err(status) => Err(status),
        };
        answer.map_err(|status| self.at(&request, status))
    }

    fn codec(&self) -> Codec {
        self.inner.codec
    }

    fn options(&self) -> CallOptions {
        self.options.clone()
    }
}
