//! Where protocol and bytes meet: one task a connection, the same for both ends.
//!
//! Whoever makes or answers a call encodes it under a short lock and never touches the socket, so that a future dropped
//! by its user cannot leave half a frame behind. The first to queue something wakes the task; what the others queue
//! until it runs leaves in the same write.

pub(crate) mod streams;

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Instant, Sleep};

use crate::{
    transport::{BoxStream, pump::Pump},
    wire::{CloseReason, Connection},
};

/// A connection and what its end keeps beside it, shared by its driver and everybody else.
#[derive(Debug)]
pub(crate) struct Shared<X> {
    state: Mutex<State<X>>,
}

#[derive(Debug)]
pub(crate) struct State<X> {
    pub(crate) connection: Connection,
    pub(crate) extra: X,
    /// Who waits for the streams of its calls.
    pub(crate) streams: streams::Waiting,
    /// The driver, when it sleeps.
    driver: Option<Waker>,
}

impl<X> Shared<X> {
    pub(crate) fn new(connection: Connection, extra: X) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                connection,
                extra,
                streams: streams::Waiting::default(),
                driver: None,
            }),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<X>> {
        self.state.lock()
    }

    /// Changes the state, and wakes the driver if there is now something for it to do.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State<X>) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let driver = if state.connection.needs_driver() { state.driver.take() } else { None };
        drop(state);
        driver.into_iter().for_each(Waker::wake);
        result
    }

    /// Makes the driver look at everything again.
    pub(crate) fn wake_driver(&self) {
        let driver = self.state.lock().driver.take();
        driver.into_iter().for_each(Waker::wake);
    }
}

/// What is different about the two ends.
pub(crate) trait End: Unpin {
    /// What the end keeps beside the connection.
    type Extra;

    /// Acts on the connection's outputs. The lock is held as long as the end likes, and not while others' code runs.
    fn handle_outputs(&mut self, state: MutexGuard<'_, State<Self::Extra>>);

    /// Whether nobody needs the connection any more, once it is idle.
    fn is_unused(&self) -> bool;

    /// Whether outputs that were taken wait until the peer has read more.
    fn is_held_up(&self) -> bool {
        false
    }

    /// Whether tasks were begun since this was last asked that may keep their thread for long.
    fn has_filled_thread(&mut self) -> bool {
        false
    }
}

/// The task of a connection.
pub(crate) struct Driver<E: End> {
    shared: Arc<Shared<E::Extra>>,
    end: E,
    pump: Pump,
    timer: Pin<Box<Sleep>>,
    /// Whether others were let go first since the driver was woken.
    gathered: bool,
}

/// How many reads a driver does before it lets other tasks run.
const READS_PER_POLL: usize = 16;

/// After so many bytes it does so in any case: a peer that sends without rest fills 256 KiB with each read, and some hundred calls
/// in it take a millisecond.
const READ_BYTES_PER_POLL: usize = 64 << 10;

/// What a driver does after it has done all it could.
enum Rest {
    /// Waits to be woken.
    Sleep,
    /// There is more to do.
    Again,
}

impl<E: End> Driver<E> {
    pub(crate) fn new(stream: BoxStream, shared: Arc<Shared<E::Extra>>, end: E) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(Instant::now()));
        Self { shared, end, pump: Pump::new(stream), timer, gathered: false }
    }

    /// Does what time has come for, which must not wait until nothing is left to read.
    fn keep_time(&mut self) {
        let now = Instant::now().into_std();
        let mut state = self.shared.lock();
        if self.pump.take_progress() {
            state.connection.handle_progress(now);
        }
        if state.connection.next_timeout().is_some_and(|at| at <= now) {
            state.connection.handle_timeout(now);
            self.end.handle_outputs(state);
        }
    }

    /// Lets other callers go first, once, when more than one call is in flight.
    ///
    /// The scheduler runs a woken task next, before those that were woken earlier: without this the first of many callers
    /// would cost a system call of its own.
    fn gather(&mut self, cx: &mut Context<'_>) -> bool {
        if self.gathered || !self.shared.lock().connection.is_busy() {
            self.gathered = false;
            return false;
        }
        self.gathered = true;
        cx.waker().wake_by_ref();
        true
    }

    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let shared = &self.shared;
        let written = self.pump.poll_write(cx, |out| shared.lock().connection.poll_transmit(out));
        // Writers of streams may have waited for room.
        let state = self.shared.lock();
        if state.connection.has_output() {
            self.end.handle_outputs(state);
        }
        match written {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// Takes up what was held up, if the peer has read enough for it.
    fn go_on(&mut self) {
        if self.end.is_held_up() {
            let state = self.shared.lock();
            if state.connection.wants_bytes() {
                self.end.handle_outputs(state);
            }
        }
    }

    /// Reads once: how many bytes. `None` when there is nothing to read for now.
    fn read(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        if !self.shared.lock().connection.wants_bytes() {
            return None;
        }
        match self.pump.poll_read(cx) {
            Poll::Ready(Ok(0)) => self.finish(None),
            Poll::Ready(Ok(came)) => {
                let now = Instant::now().into_std();
                let mut state = self.shared.lock();
                state.connection.handle_bytes(now, self.pump.buffer());
                self.end.handle_outputs(state);
                return Some(came);
            }
            Poll::Ready(Err(error)) => self.finish(Some(error.to_string())),
            Poll::Pending => return None,
        }
        Some(0)
    }

    /// Makes another thread look after the connection, if this one has something long to do next.
    ///
    /// The scheduler runs the task that was spawned last on the same thread, and wakes no other for it: nobody would look
    /// whether sockets are readable until it is done. For a task that was woken while it ran it does wake one.
    fn hand_over(&mut self, cx: &mut Context<'_>) {
        if self.end.has_filled_thread() {
            cx.waker().wake_by_ref();
        }
    }

    fn finish(&mut self, broken: Option<String>) {
        let mut state = self.shared.lock();
        state.connection.handle_end(self.pump.buffer(), broken);
        self.end.handle_outputs(state);
    }

    /// Arms the timer and registers to be woken, unless there is something to do at once.
    fn rest(&mut self, cx: &mut Context<'_>) -> Rest {
        self.keep_time();
        let mut state = self.shared.lock();
        if state.connection.is_closed() {
            return Rest::Again;
        }
        if let Some(at) = state.connection.next_timeout() {
            // Waking too early is harmless, and cheaper than moving the timer with each call.
            let at = Instant::from_std(at);
            if self.timer.is_elapsed() || at < self.timer.deadline() {
                self.timer.as_mut().reset(at);
            }
            if self.timer.as_mut().poll(cx).is_ready() {
                return Rest::Again;
            }
        }
        if state.connection.has_transmit() && !self.pump.is_writing() {
            return Rest::Again;
        }
        if self.end.is_unused() && state.connection.is_idle() && !self.pump.is_writing() {
            state.connection.fail(CloseReason::ShutDown);
            self.end.handle_outputs(state);
            return Rest::Again;
        }
        state.driver = Some(cx.waker().clone());
        Rest::Sleep
    }
}

impl<E: End> Drop for Driver<E> {
    /// However the task ends (its runtime may be gone, a transport may have panicked), nobody waits for it for ever.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.connection.fail(CloseReason::ShutDown);
        self.end.handle_outputs(state);
    }
}

impl<E: End> Future for Driver<E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.gather(cx) {
            return Poll::Pending;
        }
        this.keep_time();
        let mut came = 0;
        for _ in 0..READS_PER_POLL {
            let written = this.write(cx);
            this.go_on();
            let read = this.read(cx);
            let drained = read.is_none();
            // What the peer said before it went is read first: it may say why.
            if drained && let Err(error) = written {
                this.finish(Some(error.to_string()));
            }
            if this.shared.lock().connection.is_closed() {
                // What is still to be sent, such as an answer to a violation, goes if the socket takes it at once.
                let _ = this.write(cx);
                let _ = this.pump.poll_shutdown(cx);
                return Poll::Ready(());
            }
            if drained && matches!(this.rest(cx), Rest::Sleep) {
                this.hand_over(cx);
                return Poll::Pending;
            }
            came += read.unwrap_or(0);
            if came >= READ_BYTES_PER_POLL {
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
