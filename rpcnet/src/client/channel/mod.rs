//! A channel to one server: opens its connection when needed, and again when it was lost.

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

use self::line::Line;
use super::{
    caller::{Answer, Caller, Request},
    connect::ConnectError,
    connection::Handle,
    guard::InFlight,
    options::CallOptions,
    sent::{Attempted, SentIds},
};
use crate::{
    body::Streamed,
    codec::Codec,
    error::CallError,
    status::{Executed, Reason, Status},
    streaming::Streaming,
    transport::Address,
    wire::{Call, CallHead, RepeatHead},
};

/// A channel to one server.
///
/// Cheap to clone; clones share one connection (or [several](ChannelBuilder::connections)), over which as many calls run at
/// once as the server takes (4096 by default; one more fails with [`Reason::TooManyCalls`]). A lost connection fails the calls
/// that were on it and is opened again by the next call. The connection closes when the last clone and the last call are
/// gone.
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

    fn with_options(&self, request: Request) -> Request {
        Request { options: request.options.or(&self.options), ..request }
    }

    /// Says of a keyed call what this channel has sent of it before. Gives back the id of one that is sent for the first
    /// time.
    fn mark_repeat(&self, request: &mut Request) -> Option<Uuid> {
        let id = request.request_id.filter(|_| request.attempted.is_none())?;
        let (now, since) = (Instant::now().into_std(), request.options.first_sent_at_set());
        let attempted = self.inner.sent.send(now, id, (), since);
        // There is one address, and whether its process is still the same follows from the age.
        request.attempted = attempted.map(|attempted| Attempted { elsewhere: false, ..attempted });
        attempted.is_none().then_some(id)
    }

    fn at(&self, request: &Request, status: Status) -> Status {
        status.at(format_args!("{} at {}", request.name, self.address()))
    }

    /// Queues a call on the connection, opening one if there is none or the one there is takes no calls any more.
    async fn begin(
        &self,
        request: &mut Request,
        deadline: Option<Instant>,
        kind: Kind,
    ) -> Result<InFlight, Status> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Status::new(
                Reason::Deadline,
                Executed::No,
                "the deadline had passed before the call was made",
            ));
        }
        // Taken and not cloned: the first clone of a value that was just encoded would allocate.
        let mut call =
            Call { head: head(request, deadline, kind), payload: std::mem::take(&mut request.payload) };
        let line = self.inner.next_line();
        if let Some(connection) = line.current() {
            match connection.call(&mut call) {
                Err(_) if !connection.is_open() => {}
                result => return result,
            }
        }
        let connection = self.connection(line, deadline, request.options.waits_for_ready()).await?;
        call.head = head(request, deadline, kind);
        connection.call(&mut call)
    }

    /// The connection for a call, by its deadline.
    async fn connection(
        &self,
        line: &Arc<Line>,
        deadline: Option<Instant>,
        wait: bool,
    ) -> Result<Handle, Status> {
        let connection = async {
            match wait {
                true => Ok(line.connect_patiently().await),
                false => line.connect_for_a_call().await.map_err(Status::from),
            }
        };
        let Some(deadline) = deadline else { return connection.await };
        tokio::time::timeout_at(deadline, connection).await.unwrap_or_else(|_| {
            let why =
                line.last_error().map(|error| format!(" (the last attempt: {error})")).unwrap_or_default();
            let message = format!("the deadline passed before the connection was open{why}");
            Err(Status::new(Reason::Deadline, Executed::No, message))
        })
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

/// Whether a call has streams, and of which end.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Unary,
    Streaming { items: bool },
}

/// What a call says of itself on the wire.
fn head(request: &Request, deadline: Option<Instant>, kind: Kind) -> CallHead {
    let options = &request.options;
    CallHead {
        method: request.method,
        timeout: deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
        fingerprint: request.fingerprint,
        request_id: request.request_id,
        repeat: request.attempted.map(|attempted| RepeatHead {
            age: Instant::now().into_std().saturating_duration_since(attempted.first),
            connected: Duration::ZERO,
            elsewhere: attempted.elsewhere,
        }),
        trace: options.trace_now(),
        metadata: options.metadata.clone().filter(|metadata| !metadata.is_empty()),
        streaming: matches!(kind, Kind::Streaming { .. }),
        items: matches!(kind, Kind::Streaming { items: true }),
    }
}

impl Caller for Channel {
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let mut request = self.with_options(request);
        let deadline = Instant::from_std(request.options.deadline(Instant::now().into_std()));
        let first = self.mark_repeat(&mut request);
        let answer = match self.begin(&mut request, Some(deadline), Kind::Unary).await {
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

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        let mut request = self.with_options(request);
        let deadline = request.options.explicit_deadline(Instant::now().into_std());
        let kind = Kind::Streaming { items: items.is_some() };
        let answer = match self.begin(&mut request, deadline.map(Instant::from_std), kind).await {
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
