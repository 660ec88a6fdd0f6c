//! How a call is put on a connection: at once where there is one, or when there is.

use std::{sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    super::{caller::Request, connection::Handle, guard::InFlight},
    Channel,
    line::Line,
};
use crate::{
    status::{Executed, Reason, Status},
    wire::{Call, CallHead, RepeatHead},
};

/// Whether a call has streams, and of which end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Unary,
    Streaming { items: bool },
}

impl Channel {
    /// Queues a call on the connection, opening one if there is none or the one there is takes no calls any more.
    pub(super) async fn begin(
        &self,
        now: Instant,
        request: &mut Request,
        deadline: Option<Instant>,
        kind: Kind,
    ) -> Result<InFlight, Status> {
        if deadline.is_some_and(|deadline| deadline <= now) {
            let message = "the deadline had passed before the call was made";
            return Err(Status::new(Reason::Deadline, Executed::No, message));
        }
        let line = self.inner.next_line();
        let begun = std::future::poll_fn(|cx| {
            Poll::Ready(line.current().and_then(|connection| {
                let mut call = call(request, now, deadline, kind);
                let begun = connection.call(now, &mut call, cx.waker());
                let refused = matches!(&begun, Err(refused) if !refused.open);
                request.payload = if refused { call.payload } else { Bytes::new() };
                (!refused).then(|| begun.map_err(|refused| refused.status))
            }))
        });
        match begun.await {
            Some(begun) => begun,
            // In a box: all calls would carry the memory of a dial with them.
            None => Box::pin(self.begin_later(line, request, deadline, kind)).await,
        }
    }

    /// Queues a call on the connection that there will be.
    async fn begin_later(
        &self,
        line: &Arc<Line>,
        request: &mut Request,
        deadline: Option<Instant>,
        kind: Kind,
    ) -> Result<InFlight, Status> {
        let connection = self.connection(line, deadline, request.options.waits_for_ready()).await?;
        let now = Instant::now();
        let mut call = call(request, now, deadline, kind);
        let mut connection = Some(connection);
        let begun = std::future::poll_fn(|cx| {
            let connection = connection.take().expect("a future that is ready is not polled again");
            Poll::Ready(connection.call(now, &mut call, cx.waker()))
        });
        begun.await.map_err(|refused| refused.status)
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

/// A call as it is sent. The arguments are taken and not cloned: the first clone of a value that was just encoded would
/// allocate.
fn call(request: &mut Request, now: Instant, deadline: Option<Instant>, kind: Kind) -> Call {
    Call { head: head(request, now, deadline, kind), payload: std::mem::take(&mut request.payload) }
}

/// What a call says of itself on the wire.
fn head(request: &Request, now: Instant, deadline: Option<Instant>, kind: Kind) -> CallHead {
    let options = &request.options;
    CallHead {
        method: request.method,
        timeout: deadline.map(|deadline| deadline.saturating_duration_since(now)),
        fingerprint: request.fingerprint,
        request_id: request.request_id,
        repeat: request.attempted.map(|attempted| {
            Box::new(RepeatHead {
                age: now.into_std().saturating_duration_since(attempted.first),
                connected: Duration::ZERO,
                elsewhere: attempted.elsewhere,
            })
        }),
        trace: options.trace_now().map(Box::new),
        metadata: options.shared_metadata().filter(|metadata| !metadata.is_empty()),
        streaming: matches!(kind, Kind::Streaming { .. }),
        items: matches!(kind, Kind::Streaming { items: true }),
    }
}
