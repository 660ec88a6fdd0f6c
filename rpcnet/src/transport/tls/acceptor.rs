//! Accepts connections and shakes hands with many at once, so that a slow one holds up nobody.

use std::{
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
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Inner, certificate, error::explain, handshakes::Handshakes, stream::Encrypted};
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
            accepted = handshakes.next() => Ok(accepted),
            accepted = poll_fn(|cx| poll_source(&source, cx)) => match accepted {
                Ok(accepted) => {
                    handshakes.begin(tls.settings.handshakes_max, handshake(accepted, Arc::clone(&tls)));
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
    certificate::caller(session.peer_certificates()).or_else(refuse)
}

fn late(peer: Peer, timeout: Duration) -> io::Error {
    let message =
        format!("TLS with {peer}: no handshake within {timeout:?} (`TlsBuilder::handshake_timeout`)");
    io::Error::new(io::ErrorKind::TimedOut, message)
}
