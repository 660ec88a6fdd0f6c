//! An encrypted connection.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::error::explain;
use crate::transport::BoxStream;

/// TLS over another transport's stream: its errors say what to do, and one that is dropped says that it ends.
pub(super) struct Encrypted<P: fmt::Display + Unpin> {
    stream: TlsStream<BoxStream>,
    /// Who is at the other end, for errors.
    peer: P,
}

impl<P: fmt::Display + Unpin> Encrypted<P> {
    pub(super) fn new(stream: impl Into<TlsStream<BoxStream>>, peer: P) -> Self {
        Self { stream: stream.into(), peer }
    }

    fn explained<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        result.map_err(|error| match error.kind() {
            // Without the word of its end in TLS, what came may not be all that was sent.
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::ConnectionAborted, "it was cut: its end was not announced")
            }
            _ => explain(error, "with", &self.peer),
        })
    }
}

impl<P: fmt::Display + Unpin> AsyncRead for Encrypted<P> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.explained(read)
    }
}

impl<P: fmt::Display + Unpin> AsyncWrite for Encrypted<P> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.explained(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.explained(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.explained(shut)
    }
}

impl<P: fmt::Display + Unpin> Drop for Encrypted<P> {
    /// Says that the connection ends, if there is room for it at once: otherwise the peer takes it for cut.
    fn drop(&mut self) {
        let _ = Pin::new(&mut self.stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}
