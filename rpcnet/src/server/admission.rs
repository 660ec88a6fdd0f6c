//! How many calls run in a server at once, and how many wait for their turn: the rest is refused before anything ran.
//!
//! A static cap and a short queue, first in first out. Waiting makes sense only for as long as the caller still waits, so the
//! queue is bounded, and whose caller has given up meanwhile is not run (Google's SRE book, "Addressing Cascading Failures").

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::Instant};

use crate::status::{Executed, Reason, Status};

/// What a refused caller is told to wait at least, and at most: a hint that is nearly nothing would bring it back at once, and
/// nobody knows how busy the server is in ten seconds.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// Over which time the pace of the calls is taken. Shorter, and a few long calls are the whole of it.
const PACE_WINDOW: Duration = Duration::from_secs(1);

/// The turns of a server's calls.
#[derive(Debug)]
pub(crate) struct Admission {
    running_max: usize,
    queued_max: usize,
    turns: Semaphore,
    queued: AtomicUsize,
    shed: AtomicU64,
    /// Calls that have stopped running, ever.
    finished: AtomicU64,
    /// Looked at only when a call is refused.
    pace: Mutex<Pace>,
}

/// How fast calls finish.
#[derive(Debug)]
struct Pace {
    since: Instant,
    finished: u64,
    /// Calls a second, in the last window.
    rate: f64,
}

impl Pace {
    fn update(&mut self, now: Instant, finished: u64) -> f64 {
        let elapsed = now - self.since;
        if elapsed >= PACE_WINDOW || self.rate == 0.0 && !elapsed.is_zero() {
            self.rate = (finished - self.finished) as f64 / elapsed.as_secs_f64();
            (self.since, self.finished) = (now, finished);
        }
        self.rate
    }
}

impl Admission {
    pub(crate) fn new(running_max: usize, queued_max: usize) -> Arc<Self> {
        let running_max = running_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            running_max,
            queued_max,
            turns: Semaphore::new(running_max),
            queued: AtomicUsize::new(0),
            shed: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            pace: Mutex::new(Pace { since: Instant::now(), finished: 0, rate: 0.0 }),
        })
    }

    /// A call's turn, now or later.
    ///
    /// # Errors
    ///
    /// When the queue is full. Nothing has run.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Turn, Status> {
        match self.turns.try_acquire() {
            Ok(turn) => {
                turn.forget();
                Ok(Turn::Now(Running(Arc::clone(self))))
            }
            Err(_) => self.queue().map(Turn::Later),
        }
    }

    fn queue(self: &Arc<Self>) -> Result<Queued, Status> {
        let place = |queued: usize| (queued < self.queued_max).then_some(queued + 1);
        if self.queued.fetch_update(Relaxed, Relaxed, place).is_err() {
            self.shed.fetch_add(1, Relaxed);
            return Err(self.overloaded());
        }
        let (place, admission) = (Place(Arc::clone(self)), Arc::clone(self));
        let turn = Box::pin(async move {
            let _place = place;
            // The semaphore is never closed: an error would be a turn all the same.
            if let Ok(turn) = admission.turns.acquire().await {
                turn.forget();
            }
            Running(admission)
        });
        Ok(Queued(turn))
    }

    /// Calls that run or wait for their turn.
    pub(crate) fn under_way(&self) -> usize {
        self.running_max - self.turns.available_permits() + self.queued.load(Relaxed)
    }

    fn overloaded(&self) -> Status {
        let Self { running_max, queued_max, .. } = self;
        let message = format!(
            "the server runs {running_max} calls, and {queued_max} wait: as many as it takes (`ServerBuilder::running_max`, \
             `ServerBuilder::queued_max`)"
        );
        Status::new(Reason::Overloaded, Executed::No, message).retry_after(self.retry_after())
    }

    /// When what waits now will have been served, at the pace of the last second.
    fn retry_after(&self) -> Duration {
        let rate = self.pace.lock().update(Instant::now(), self.finished.load(Relaxed));
        let (least, most) = RETRY_AFTER;
        let wait = (self.queued.load(Relaxed) + 1) as f64 / rate;
        if wait < most.as_secs_f64() { Duration::from_secs_f64(wait).max(least) } else { most }
    }
}

/// What a call gets that is not refused.
pub(crate) enum Turn {
    Now(Running),
    Later(Queued),
}

/// A call that runs. It has stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Arc<Admission>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Relaxed);
        self.0.turns.add_permits(1);
    }
}

/// A call that waits for its turn, until it is dropped.
pub(crate) struct Queued(Pin<Box<dyn Future<Output = Running> + Send>>);

impl Future for Queued {
    type Output = Running;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Running> {
        self.0.as_mut().poll(cx)
    }
}

/// A place in the queue.
struct Place(Arc<Admission>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Relaxed);
    }
}

/// How busy a server is: a view that stays true while the server serves. From [`Server::load`](crate::Server::load).
///
/// Counts calls whose handlers run, streams excepted: a call counts until its handler has really stopped, also when its caller
/// has given up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::Server;
///
/// let server = Server::builder().bind("127.0.0.1:0").await?;
/// let load = server.load();
/// tokio::spawn(server.serve());
/// assert_eq!((load.running(), load.queued(), load.shed()), (0, 0, 0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ServerLoad(pub(super) Arc<Admission>);

impl ServerLoad {
    /// Calls that run now.
    pub fn running(&self) -> usize {
        self.0.running_max - self.0.turns.available_permits()
    }

    /// Calls that wait for their turn now.
    pub fn queued(&self) -> usize {
        self.0.queued.load(Relaxed)
    }

    /// Calls that were refused because the queue was full, since the server was made.
    pub fn shed(&self) -> u64 {
        self.0.shed.load(Relaxed)
    }
}
