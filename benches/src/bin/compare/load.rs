//! Callers that make one call after the other, and what they saw.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::Failure;

/// Makes calls.
pub(crate) trait Caller: Send + 'static {
    /// One call; how many bytes were answered.
    fn call(&mut self, payload: &Bytes) -> impl Future<Output = Result<usize, Failure>> + Send;
}

/// What callers saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) took: Duration,
    /// Latencies in nanoseconds, of every call.
    pub(crate) latencies: Histogram<u64>,
}

/// The longest latency told apart, and to how many decimal digits.
const LATENCY_MAX: u64 = 60_000_000_000;
const DIGITS: u8 = 2;

/// What the callers share to put their latencies into: one for each would be memory that takes longer to clear than some points last.
type Latencies = Arc<[Mutex<Histogram<u64>>; SHARES]>;

/// More than there are threads that could meet in one.
const SHARES: usize = 16;

/// Room for latencies.
pub(crate) fn no_latencies() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_bounds(1, LATENCY_MAX, DIGITS)?)
}

/// Lets the callers make calls for so long.
pub(crate) async fn drive<C: Caller>(
    callers: &mut Vec<C>,
    payload: &Bytes,
    length: Duration,
) -> Result<Seen, Failure> {
    let over = Arc::new(AtomicBool::new(false));
    let empty = no_latencies()?;
    let latencies: Latencies = Arc::new(std::array::from_fn(|_| Mutex::new(empty.clone())));
    let mut tasks = JoinSet::new();
    let begin = Instant::now();
    for (share, caller) in callers.drain(..).enumerate() {
        let latencies = Arc::clone(&latencies);
        tasks.spawn(call_on(caller, payload.clone(), Arc::clone(&over), latencies, share % SHARES));
    }
    tokio::time::sleep(length).await;
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        callers.push(ended??);
    }
    let took = begin.elapsed();
    let mut all = empty;
    latencies.iter().try_for_each(|share| all.add(&*share.lock()))?;
    Ok(Seen { took, latencies: all })
}

async fn call_on<C: Caller>(
    mut caller: C,
    payload: Bytes,
    over: Arc<AtomicBool>,
    latencies: Latencies,
    share: usize,
) -> Result<C, Failure> {
    let mut begin = Instant::now();
    while !over.load(Ordering::Relaxed) {
        if caller.call(&payload).await? != payload.len() {
            return Err("another answer than what was sent".into());
        }
        // The end of one call is the beginning of the next: one look at the clock a call.
        let end = Instant::now();
        let took = u64::try_from((end - begin).as_nanos())?;
        latencies[share].lock().saturating_record(took);
        begin = end;
    }
    Ok(caller)
}
