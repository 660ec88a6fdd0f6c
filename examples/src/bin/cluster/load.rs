//! Makes the calls: as many as are answered at first, to find out what the machine can do, and half of that from then on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rpcnet::CallOptions;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    corpus::Corpus,
    measure::{Outcome, Tally},
    pace::{Pacer, Rate},
    work::WorkClient,
};

/// Calls the director with one piece after the other, over and over.
pub(crate) struct Load {
    work: WorkClient,
    corpus: Arc<Corpus>,
    tally: Arc<Tally>,
    next: usize,
}

impl Load {
    /// How many calls are in flight while the rate is found: enough that no worker waits for the next.
    const CALLERS: usize = 16;
    /// Connections are opened and caches fill before it counts what was answered.
    const WARM_UP: Duration = Duration::from_millis(500);
    /// Each file was worked on a few times by then.
    const MEASURED: Duration = Duration::from_millis(1500);
    /// How many calls are in flight at most. Beyond that the machine is slower than it was, and more calls would only wait
    /// longer: they are not made.
    const IN_FLIGHT_MAX: usize = 128;
    /// When a call has failed. Two attempts of one are that many times longer than any takes.
    const TIMEOUT: Duration = Duration::from_secs(5);

    pub(crate) fn new(work: &WorkClient, corpus: Arc<Corpus>, tally: Arc<Tally>) -> Self {
        Self { work: work.with(CallOptions::timeout(Self::TIMEOUT)), corpus, tally, next: 0 }
    }

    /// Makes calls for so long, and waits for the last of them. Tells the rate when it is found.
    pub(crate) async fn run(mut self, length: Duration, rate: watch::Sender<Option<Rate>>) {
        let until = Instant::now() + length;
        let found = self.find_rate().await;
        rate.send_replace(Some(found));
        self.hold(found, until).await;
    }

    /// Makes a call whenever one has ended.
    async fn find_rate(&mut self) -> Rate {
        let mut calls = JoinSet::new();
        (0..Self::CALLERS).for_each(|_| self.begin(&mut calls));
        let counted_from = Instant::now() + Self::WARM_UP;
        let end = counted_from + Self::MEASURED;
        let mut answered = 0;
        while let Some(ended) = calls.join_next().await {
            propagate(ended);
            let now = Instant::now();
            answered += u64::from(now >= counted_from && now < end);
            if now < end {
                self.begin(&mut calls);
            }
        }
        Rate::half_of(answered, Self::MEASURED)
    }

    /// Makes calls at this rate, however fast they are answered.
    async fn hold(&mut self, rate: Rate, until: Instant) {
        let (mut pacer, mut calls) = (Pacer::new(rate), JoinSet::new());
        let mut ticks = interval(Pacer::TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        while last < until {
            ticks.tick().await;
            while let Some(ended) = calls.try_join_next() {
                propagate(ended);
            }
            let now = Instant::now();
            let due = pacer.due(now - std::mem::replace(&mut last, now));
            let room = Self::IN_FLIGHT_MAX.saturating_sub(calls.len());
            (0..due.min(room)).for_each(|_| self.begin(&mut calls));
        }
        while let Some(ended) = calls.join_next().await {
            propagate(ended);
        }
    }

    /// Begins a call with the next piece.
    fn begin(&mut self, calls: &mut JoinSet<()>) {
        let place = self.next % self.corpus.pieces.len();
        self.next = place + 1;
        let (work, corpus, tally) = (self.work.clone(), Arc::clone(&self.corpus), Arc::clone(&self.tally));
        calls.spawn(async move {
            let piece = &corpus.pieces[place];
            let begun = Instant::now();
            let outcome = match work.pack(piece.bytes.clone()).await {
                Ok(answer) if answer.packed == piece.expected => Outcome::Right(answer.worker),
                Ok(answer) => Outcome::Wrong(answer.worker),
                Err(error) => Outcome::Failed(error.to_string()),
            };
            tally.record(begun, outcome);
        });
    }
}

/// A call that panicked is a fault of this program.
fn propagate(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
