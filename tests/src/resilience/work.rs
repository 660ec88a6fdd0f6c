//! What a worker does with a call: how long it takes, how many at once, and whether it comes to anything.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::AppError;
use tokio::sync::Semaphore;

/// How long a call takes, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Service {
    /// Some time within `spread` of `mean`.
    Takes {
        /// The middle of it.
        mean: Duration,
        /// The most it is off.
        spread: Duration,
    },
    /// As `Takes`, but for a share of the calls many times as long.
    Sometimes {
        /// The middle of most.
        mean: Duration,
        /// How many times that it is for the share.
        times: u32,
        /// The share, 0 to 1.
        share: f64,
    },
    /// The handler panics after this time.
    Panics(Duration),
}

/// A worker's work: shared by its handler and by whoever changes it meanwhile.
#[derive(Debug, Clone)]
pub struct Work(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// What one call holds while it works; `None` for a worker that does any number at once.
    lanes: Option<Arc<Semaphore>>,
}

#[derive(Debug)]
struct State {
    service: Service,
    random: fastrand::Rng,
    begun: u64,
    running: u64,
    running_most: u64,
}

impl Work {
    /// Work that takes some time, `lanes` calls at once; 0 for any number.
    pub fn new(service: Service, lanes: usize, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let state = State { service, random, begun: 0, running: 0, running_most: 0 };
        let lanes = (lanes > 0).then(|| Arc::new(Semaphore::new(lanes)));
        Self(Arc::new(Inner { state: Mutex::new(state), lanes }))
    }

    /// From now on a call takes this.
    pub fn becomes(&self, service: Service) {
        self.0.state.lock().service = service;
    }

    /// Calls whose work has begun.
    pub fn begun(&self) -> u64 {
        self.0.state.lock().begun
    }

    /// The most calls that were being worked on at once.
    pub fn running_most(&self) -> u64 {
        self.0.state.lock().running_most
    }

    /// Works on a call. One that is cancelled stops, also while it waits for a lane.
    pub async fn work(self, payload: Bytes) -> Result<Bytes, AppError> {
        let lanes = self.0.lanes.clone();
        let _lane = match lanes {
            Some(lanes) => Some(lanes.acquire_owned().await.expect("never closed")),
            None => None,
        };
        let (running, takes, panics) = self.begin();
        tokio::time::sleep(takes).await;
        drop(running);
        if panics {
            // Past the hook, which would tell of each.
            std::panic::resume_unwind(Box::new("this worker is broken"));
        }
        Ok(payload)
    }

    /// Works on a call to its end, whether or not anybody waits for it: what a worker does that knows no cancellation.
    pub async fn work_on(self, payload: Bytes) -> Result<Bytes, AppError> {
        tokio::spawn(self.work(payload)).await.map_err(AppError::from)?
    }

    fn begin(&self) -> (Running, Duration, bool) {
        let mut state = self.0.state.lock();
        state.begun += 1;
        state.running += 1;
        state.running_most = state.running_most.max(state.running);
        let (takes, panics) = state.draw();
        (Running(Arc::clone(&self.0)), takes, panics)
    }
}

impl State {
    fn draw(&mut self) -> (Duration, bool) {
        match self.service {
            Service::Takes { mean, spread } => (around(mean, spread, &mut self.random), false),
            Service::Sometimes { mean, times, share } => {
                let times = if self.random.f64() < share { times } else { 1 };
                (around(mean, mean / 10, &mut self.random) * times, false)
            }
            Service::Panics(after) => (after, true),
        }
    }
}

fn around(mean: Duration, spread: Duration, random: &mut fastrand::Rng) -> Duration {
    mean.saturating_sub(spread) + spread.mul_f64(2.0 * random.f64())
}

/// Counts a call as running until it is dropped.
struct Running(Arc<Inner>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().running -= 1;
    }
}
