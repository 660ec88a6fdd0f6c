//! Streams through the gate: a transport over another that seals what it carries, or sees that a peer does.

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use rpcnet::transport::{Accepted, Address, BoxFuture, BoxStream, Listener, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::gate::Gate;
use super::keyring::Keyring;
use super::seal::{FRAME_BYTES_MAX, Line, is_mark};
use crate::membership::Unreadable;

/// Hears why a stream could not be read.
pub(super) type Report = Arc<dyn Fn(Unreadable) + Send + Sync>;

/// Room for a read: with a frame that is not complete it bounds what a stream holds.
const ROOM: usize = 8 * 1024;

/// Another transport, through a gate.
#[derive(Clone)]
pub(super) struct GatedTransport {
    gate: Gate,
    inner: Arc<dyn Transport>,
    report: Report,
}

impl GatedTransport {
    pub(super) fn new(gate: Gate, inner: Arc<dyn Transport>, report: Report) -> Self {
        Self { gate, inner, report }
    }

    /// The same, and somebody else hears too.
    pub(super) fn also_reporting(&self, also: impl Fn(Unreadable) + Send + Sync + 'static) -> Self {
        let first = Arc::clone(&self.report);
        let report: Report = Arc::new(move |why| {
            first(why);
            also(why);
        });
        Self { gate: self.gate.clone(), inner: Arc::clone(&self.inner), report }
    }

    fn wrap(&self, stream: BoxStream, line: Option<(Line, Keyring)>) -> BoxStream {
        let report = Arc::clone(&self.report);
        match line {
            Some((line, keyring)) => Box::new(SealedStream::new(stream, line, keyring, report)),
            None => Box::new(PlainStream { inner: stream, report, read: false }),
        }
    }
}

impl Transport for GatedTransport {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move { Ok(self.wrap(self.inner.connect(to).await?, self.gate.asking()?)) })
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = self.inner.listen(at).await?;
            Ok(Box::new(GatedListener { transport: self.clone(), listener }) as Box<dyn Listener>)
        })
    }
}

impl fmt::Debug for GatedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedTransport").field("gate", &self.gate).field("inner", &self.inner).finish()
    }
}

#[derive(Debug)]
struct GatedListener {
    transport: GatedTransport,
    listener: Box<dyn Listener>,
}

impl Listener for GatedListener {
    fn address(&self) -> Address {
        self.listener.address()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let Accepted { stream, peer, identity, .. } = ready!(self.listener.poll_accept(cx))?;
        let line = self.transport.gate.answering();
        Poll::Ready(
            line.map(|line| Accepted::new(self.transport.wrap(stream, line), peer).identified(identity)),
        )
    }
}

/// A stream that is not sealed, and sees when its peer's is.
struct PlainStream {
    inner: BoxStream,
    report: Report,
    read: bool,
}

impl AsyncRead for PlainStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        if let (false, Some(&first)) = (self.read, buf.filled().get(start)) {
            self.read = true;
            if is_mark(first) {
                (self.report)(Unreadable::Sealed);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, Unreadable::Sealed)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A sealed stream: texts here, frames of them in the stream below.
pub(super) struct SealedStream {
    inner: BoxStream,
    line: Line,
    keyring: Keyring,
    report: Report,
    /// Read, and not opened.
    input: BytesMut,
    /// Opened, and not taken.
    text: BytesMut,
    /// Sealed, and not written: at most one frame.
    output: BytesMut,
    /// Whoever waits to write, for the peer's preamble or for room.
    writer: Option<Waker>,
    refused: Option<Unreadable>,
    last_sealed: bool,
}

impl SealedStream {
    pub(super) fn new(inner: BoxStream, line: Line, keyring: Keyring, report: Report) -> Self {
        let (input, text, output) = (BytesMut::new(), BytesMut::new(), BytesMut::new());
        Self {
            inner,
            line,
            keyring,
            report,
            input,
            text,
            output,
            writer: None,
            refused: None,
            last_sealed: false,
        }
    }

    /// Writes what was sealed.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Opens until there is text, or more has to be read.
    fn open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.text.is_empty() {
            let opened = self.line.open(&self.keyring.ring(), &mut self.input, &mut self.text);
            match opened {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => {
                    self.refuse(cx, why);
                    break;
                }
            }
        }
        self.refused.map_or(Ok(()), |why| Err(unreadable(why)))
    }

    fn refuse(&mut self, cx: &mut Context<'_>, why: Unreadable) {
        self.refused = Some(why);
        (self.report)(why);
        let refusal = self.line.refusal(&self.keyring.ring(), why);
        if let Some(preamble) = refusal {
            self.output.extend_from_slice(&preamble);
            // If the peer does not take it, it does not learn.
            let _ = self.poll_drain(cx);
        }
    }

    /// A writer may go on when the peer's preamble is in, or what was sealed is out.
    fn wake_writer(&mut self) {
        if self.output.is_empty() && (self.line.can_seal() || self.refused.is_some()) {
            self.writer.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl AsyncRead for SealedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // A writer that has nothing more to write does not come back for what is left. An error is for it to hear.
        let _ = this.poll_drain(cx);
        loop {
            let opened = this.open(cx);
            this.wake_writer();
            opened?;
            if !this.text.is_empty() {
                let count = this.text.len().min(buf.remaining());
                buf.put_slice(&this.text.split_to(count));
                return Poll::Ready(Ok(()));
            }
            if this.line.is_ended() {
                return Poll::Ready(Ok(()));
            }
            this.input.reserve(ROOM);
            if ready!(pin!(this.inner.read_buf(&mut this.input)).poll(cx))? == 0 {
                return Poll::Ready(Err(cut()));
            }
        }
    }
}

impl AsyncWrite for SealedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.last_sealed || this.refused.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.poll_drain(cx)?.is_pending() || !this.line.can_seal() {
            this.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let part = &buf[..buf.len().min(FRAME_BYTES_MAX)];
        if !part.is_empty() {
            this.line.seal(part, false, &mut this.output);
            // What does not go at once goes with the next write, flush or read.
            let _ = this.poll_drain(cx)?;
        }
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.last_sealed && this.refused.is_none() && this.line.can_seal() {
            this.line.seal(&[], true, &mut this.output);
            this.last_sealed = true;
        }
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

fn unreadable(why: Unreadable) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ends before its last frame: it was cut")
}
