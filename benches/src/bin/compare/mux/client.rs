//! One buffer that all callers append to, one task that writes it whole, and one that reads the answers.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{READ_BYTES, put, take};
use crate::Failure;

#[derive(Clone)]
pub(crate) struct Client(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    out: BytesMut,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// The task that writes, while there is nothing to write.
    writer: Option<Waker>,
}

enum Slot {
    Free,
    Waiting(Option<Waker>),
    Answered(Bytes),
}

impl Client {
    pub(super) fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let client = Self(Arc::default());
        let (read, write) = tokio::io::split(stream);
        tokio::spawn(client.clone().read(read));
        tokio::spawn(client.clone().write(write));
        client
    }

    pub(super) async fn call(&self, payload: &[u8]) -> Bytes {
        let (id, writer) = self.0.lock().begin(payload);
        writer.into_iter().for_each(Waker::wake);
        poll_fn(|cx| self.0.lock().poll_answer(id, cx)).await
    }

    async fn write(self, mut to: impl AsyncWrite + Unpin) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        loop {
            let many = poll_fn(|cx| self.0.lock().poll_out(cx)).await;
            if many {
                // The others that were woken with the first get their calls in.
                tokio::task::yield_now().await;
            }
            std::mem::swap(&mut self.0.lock().out, &mut out);
            to.write_all(&out).await?;
            to.flush().await?;
            out.clear();
        }
    }

    async fn read(self, mut from: impl AsyncRead + Unpin) -> Result<(), Failure> {
        let (mut read, mut wakers) = (BytesMut::new(), Vec::new());
        loop {
            read.reserve(READ_BYTES);
            if from.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
            let mut state = self.0.lock();
            while let Some((id, answer)) = take(&mut read) {
                let slot = std::mem::replace(&mut state.slots[id as usize], Slot::Answered(answer));
                if let Slot::Waiting(Some(waker)) = slot {
                    wakers.push(waker);
                }
            }
            drop(state);
            wakers.drain(..).for_each(Waker::wake);
        }
    }
}

impl State {
    fn begin(&mut self, payload: &[u8]) -> (u32, Option<Waker>) {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            self.slots.len() as u32 - 1
        });
        self.slots[id as usize] = Slot::Waiting(None);
        put(&mut self.out, id, payload);
        (id, self.writer.take())
    }

    fn poll_answer(&mut self, id: u32, cx: &Context<'_>) -> Poll<Bytes> {
        let slot = &mut self.slots[id as usize];
        match std::mem::replace(slot, Slot::Free) {
            Slot::Answered(answer) => {
                self.free.push(id);
                Poll::Ready(answer)
            }
            Slot::Waiting(_) | Slot::Free => {
                *slot = Slot::Waiting(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }

    /// Waits for something to write: whether more than one call is under way.
    fn poll_out(&mut self, cx: &Context<'_>) -> Poll<bool> {
        if self.out.is_empty() {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(self.slots.len() - self.free.len() > 1)
    }
}
