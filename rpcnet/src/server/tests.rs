//! What a connection does at once: another's turn must come.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{connection::Served, router::Router, services::Services, settings::Settings};
use crate::transport::{Accepted, Peer};

/// A peer that says hello and then sends frames of an unknown kind for ever, faster than they are read.
struct Flood {
    sent: Arc<AtomicUsize>,
}

const HELLO: &[u8] = b"RpcN\x01\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x04\0\0\0";

/// Without head and payload.
const FRAME: [u8; 16] = [0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

impl AsyncRead for Flood {
    fn poll_read(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.sent.load(Ordering::Relaxed) == 0 {
            buf.put_slice(HELLO);
            self.sent.fetch_add(HELLO.len(), Ordering::Relaxed);
        }
        while buf.remaining() >= FRAME.len() {
            buf.put_slice(&FRAME);
            self.sent.fetch_add(FRAME.len(), Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_read_a_little_at_a_time() {
    let sent = Arc::new(AtomicUsize::new(0));
    let services = Services::new(Router::default(), Settings::default());
    let flood = Box::new(Flood { sent: Arc::clone(&sent) });
    let (_served, serve) =
        Served::start(Accepted::new(flood, Peer::Process { id: None, user: None }), services);
    let mut serve = Box::pin(serve);
    let mut cx = Context::from_waker(Waker::noop());
    for poll in 0..100 {
        let before = sent.load(Ordering::Relaxed);
        assert!(serve.as_mut().poll(&mut cx).is_pending(), "it goes on");
        let read = sent.load(Ordering::Relaxed) - before;
        assert!((1..=512 << 10).contains(&read), "{read} bytes at once, in poll {poll}");
    }
}
