//! Streams between the hosts of the network: two pipes each.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{Net, Shared};

/// One direction of a stream.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    queue: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The writer is gone; what it wrote can still be read.
    Closed,
    /// The connection was reset.
    Reset,
}

/// How much a stream holds before its writer waits, like a socket's send buffer.
const PIPE_BYTES_MAX: usize = 256 << 10;

impl Pipe {
    pub(super) fn new(from: IpAddr, to: IpAddr) -> Self {
        Self { from, to, queue: VecDeque::new(), bytes: 0, end: None, reader: None, writer: None }
    }

    pub(super) fn wake_reader(&mut self) {
        wake(&mut self.reader);
    }

    pub(super) fn finish(&mut self, end: End) {
        if self.end.is_none() || matches!(end, End::Reset) {
            self.end = Some(end);
        }
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    fn read_into(&mut self, buf: &mut ReadBuf<'_>) {
        let Some((_, bytes)) = self.queue.front_mut() else { return };
        let count = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..count]);
        bytes.advance(count);
        self.bytes -= count;
        if bytes.is_empty() {
            self.queue.pop_front();
        }
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// One end of a stream.
#[derive(Debug)]
pub(super) struct MemoryStream {
    shared: Arc<Shared>,
    read: u64,
    write: u64,
    /// Armed for the moment when the next bytes arrive.
    timer: Option<Pin<Box<Sleep>>>,
}

impl MemoryStream {
    /// The end of a stream that reads one pipe and writes the other.
    pub(super) fn new(shared: &Arc<Shared>, read: u64, write: u64) -> Self {
        Self { shared: Arc::clone(shared), read, write, timer: None }
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let shared = Arc::clone(&self.shared);
        let mut net = shared.net.lock();
        let held = net.pipes.get(&self.read).is_some_and(|pipe| net.faults.is_held(pipe.from, pipe.to));
        let Some(pipe) = net.pipes.get_mut(&self.read) else { return Poll::Ready(Ok(())) };
        pipe.reader = Some(cx.waker().clone());
        match (pipe.end, pipe.queue.front().map(|(due, _)| *due)) {
            (Some(End::Reset), _) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            _ if held => Poll::Pending,
            (_, Some(due)) if due <= Instant::now() => {
                pipe.read_into(buf);
                Poll::Ready(Ok(()))
            }
            (_, Some(due)) => {
                drop(net);
                let mut timer = Box::pin(sleep_until(due));
                let ready = timer.as_mut().poll(cx).is_ready();
                self.timer = Some(timer);
                if ready {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            (Some(End::Closed), None) => Poll::Ready(Ok(())),
            (None, None) => Poll::Pending,
        }
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut net = self.shared.net.lock();
        let Net { pipes, faults, .. } = &mut *net;
        // As with TCP, writing to a peer that is gone succeeds, and reading finds out.
        let Some(pipe) = pipes.get_mut(&self.write) else { return Poll::Ready(Ok(bytes.len())) };
        let due = Instant::now() + faults.latency(pipe.from, pipe.to);
        if pipe.end.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = PIPE_BYTES_MAX.saturating_sub(pipe.bytes);
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = bytes.len().min(room);
        pipe.queue.push_back((due, Bytes::copy_from_slice(&bytes[..count])));
        pipe.bytes += count;
        wake(&mut pipe.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(pipe) = self.shared.net.lock().pipes.get_mut(&self.write) {
            pipe.finish(End::Closed);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        let mut net = self.shared.net.lock();
        // The reader of a pipe takes it away; its writer then finds none.
        if let Some(mut pipe) = net.pipes.remove(&self.read) {
            wake(&mut pipe.writer);
        }
        if let Some(pipe) = net.pipes.get_mut(&self.write) {
            pipe.finish(End::Closed);
        }
    }
}
