//! Accepts connections and shakes hands with many at once, so that a slow one holds up nobody.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    task::{AbortHandle, JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Inner, certificate, error::explain, stream::Encrypted};
use crate::transport::{Accepted, Address, BoxStream, Identity, Listener, Peer};

/// How many connections that are ready wait to be taken: as many as a system's own queue commonly holds. Whoever serves takes
/// them at once; while nobody does, no more are accepted than these.
const READY_MAX: usize = 128;

/// Where connections come from, until nobody wants any: then it is gone at once, and its address free.
type Source = Arc<Mutex<Option<Box<dyn Listener>>>>;

/// A listener whose connections have shaken hands.
#[derive(Debug)]
pub(super) struct Accepting {
    address: Address,
    source: Source,
    ready: mpsc::Receiver<io::Result<Accepted>>,
    task: JoinHandle<()>,
}

impl Accepting {
    pub(super) fn new(listener: Box<dyn Listener>, tls: Arc<Inner>) -> Self {
        let address = listener.address();
        let (sender, ready) = mpsc::channel(READY_MAX);
        let source = Arc::new(Mutex::new(Some(listener)));
        Self { address, ready, task: tokio::spawn(accept(Arc::clone(&source), tls, sender)), source }
    }
}

impl Listener for Accepting {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match ready!(self.ready.poll_recv(cx)) {
            Some(accepted) => Poll::Ready(accepted),
            // The task ends only with its runtime.
            None => Poll::Pending,
        }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.source.lock().take();
        self.task.abort();
    }
}

fn poll_source(source: &Source, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
    source.lock().as_mut().map_or(Poll::Pending, |listener| listener.poll_accept(cx))
}

async fn accept(source: Source, tls: Arc<Inner>, ready: mpsc::Sender<io::Result<Accepted>>) {
    let mut handshakes = Handshakes::default();
    loop {
        let next = tokio::select! {
            Some(done) = handshakes.tasks.join_next() => match done {
                Ok(Some(accepted)) => Ok(accepted),
                // It failed, which was said, or had to make room.
                Ok(None) | Err(_) => continue,
            },
            accepted = poll_fn(|cx| poll_source(&source, cx)) => match accepted {
                Ok(accepted) => {
                    handshakes.begin(accepted, &tls);
                    continue;
                }
                Err(error) => Err(error),
            },
        };
        if ready.send(next).await.is_err() {
            return;
        }
    }
}

/// The handshakes under way.
#[derive(Default)]
struct Handshakes {
    tasks: JoinSet<Option<Accepted>>,
    /// In the order in which they began; those that are over stay until they are in front.
    order: VecDeque<AbortHandle>,
}

impl Handshakes {
    fn begin(&mut self, accepted: Accepted, tls: &Arc<Inner>) {
        self.make_room(tls.settings.handshakes_max);
        let task = handshake(accepted, Arc::clone(tls));
        self.order.push_back(self.tasks.spawn(task));
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

/// One handshake, within its time.
async fn handshake(accepted: Accepted, tls: Arc<Inner>) -> Option<Accepted> {
    let Accepted { stream, peer, .. } = accepted;
    let timeout = tls.settings.handshake_timeout;
    let result = tokio::time::timeout(timeout, shake(stream, peer, &tls)).await;
    match result.unwrap_or_else(|_| Err(late(peer, timeout))) {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::info!(%peer, %error, "connection refused");
            None
        }
    }
}

async fn shake(stream: BoxStream, peer: Peer, tls: &Inner) -> io::Result<Accepted> {
    let config =
        tls.current().server.clone().ok_or_else(|| super::error::lacks("certificate", "a server"))?;
    let stream = match TlsAcceptor::from(config).accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((error, stream)) => {
            let _ = tokio::time::timeout(PARTING, part(stream)).await;
            return Err(explain(error, "with", peer));
        }
    };
    let identity = identified(&stream, peer)?;
    Ok(Accepted::new(Box::new(Encrypted::new(stream, peer)), peer).identified(identity))
}

/// How long a client that was refused may take to hear why.
const PARTING: Duration = Duration::from_secs(1);

/// How much it may still send meanwhile: a hello and its first calls.
const PARTING_BYTES_MAX: u64 = 64 << 10;

/// Takes in what the client has sent already. To close a connection on unread bytes resets it, and the alert that says why the
/// client was refused would be lost.
async fn part(mut stream: BoxStream) {
    if stream.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut stream.take(PARTING_BYTES_MAX), &mut tokio::io::sink()).await;
    }
}

/// Who the client is, by its certificate.
fn identified(stream: &TlsStream<BoxStream>, peer: Peer) -> io::Result<Option<Identity>> {
    let refuse =
        |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("TLS with {peer}: {why}")));
    let (_, session) = stream.get_ref();
    if session.alpn_protocol().is_none() {
        return refuse("it does not say which protocol it wants".to_owned());
    }
    match session.peer_certificates().and_then(|chain| chain.first()).map(certificate::identity) {
        None => Ok(None),
        Some(Ok(identity)) => Ok(identity),
        Some(Err(count)) => refuse(format!("its certificate has {count} URIs and thus no identity")),
    }
}

fn late(peer: Peer, timeout: Duration) -> io::Error {
    let message =
        format!("TLS with {peer}: no handshake within {timeout:?} (`TlsBuilder::handshake_timeout`)");
    io::Error::new(io::ErrorKind::TimedOut, message)
}
