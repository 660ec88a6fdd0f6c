//! Moves bytes between a stream and the buffers of a connection.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::BoxStream;

/// A stream with what was read and not taken in, and what is to be written.
pub(crate) struct Pump {
    stream: BoxStream,
    read: BytesMut,
    write: BytesMut,
    written: usize,
    /// The stream took no more at the last write.
    blocked: bool,
    /// The stream may hold back what it took, as TLS does, until it is flushed.
    unflushed: bool,
    /// The stream has taken bytes again since it was blocked.
    unblocked: bool,
    room: usize,
}

/// The room for a read at first: enough for a few calls, small enough for thousands of idle connections.
const ROOM_MIN: usize = 4 << 10;

/// The most room for a read. More takes longer to fill than a system call costs.
const ROOM_MAX: usize = 256 << 10;

/// The most memory kept for the next write: two ordinary ones.
const WRITE_KEPT_MAX: usize = 512 << 10;

impl Pump {
    pub(crate) fn new(stream: BoxStream) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            write: BytesMut::new(),
            written: 0,
            blocked: false,
            unflushed: false,
            unblocked: false,
            room: ROOM_MIN,
        }
    }

    /// What was read and not taken in.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.read
    }

    /// Whether a write is under way and the stream takes no more for now.
    pub(crate) fn is_writing(&self) -> bool {
        self.written < self.write.len() || self.unflushed
    }

    /// Reads once: how many bytes came, 0 at the end of the stream.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.read.reserve(self.room);
        let came = ready!(pin!(self.stream.read_buf(&mut self.read)).poll(cx))?;
        if came >= self.room {
            self.room = (self.room * 2).min(ROOM_MAX);
        }
        Poll::Ready(Ok(came))
    }

    /// Writes until nothing is left. `next` puts what is to be written next into the empty buffer, or says that there is
    /// nothing.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut next: impl FnMut(&mut BytesMut) -> bool,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.written < self.write.len() {
                let rest = &self.write[self.written..];
                let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, rest)? else {
                    self.blocked = true;
                    return Poll::Pending;
                };
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written += written;
                self.unflushed = true;
                self.unblocked |= std::mem::take(&mut self.blocked);
            }
            self.reuse();
            if !next(&mut self.write) {
                return self.poll_flush(cx);
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed {
            self.blocked = true;
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            (self.unflushed, self.blocked) = (false, false);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the stream has taken bytes again after it took none: a sign that the peer reads. Said once.
    pub(crate) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.unblocked)
    }

    /// Makes room for the next write. One burst does not hold its memory for the rest of the connection's life.
    fn reuse(&mut self) {
        if self.write.capacity() > WRITE_KEPT_MAX {
            self.write = BytesMut::new();
        }
        self.write.clear();
        self.written = 0;
    }

    /// Tells the peer that no more comes.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
