//! Callers that never stop: half of them on connections that last, half on new ones.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rpcnet::{Address, Channel, transport::tls::Tls};
use tokio::{sync::Notify, task::JoinSet};

/// How many calls a connection that does not last carries.
const CALLS_A_CONNECTION: u64 = 5;

/// How many errors are kept to be shown.
const SHOWN_MAX: usize = 10;

/// Callers at work.
pub(crate) struct Load {
    callers: JoinSet<()>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    calls: AtomicU64,
    failed: AtomicU64,
    connections: AtomicU64,
    worst_micros: AtomicU64,
    errors: Mutex<Vec<String>>,
    ended: AtomicBool,
    progress: Notify,
}

/// What became of the calls.
pub(crate) struct Report {
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) connections: u64,
    pub(crate) worst: Duration,
    pub(crate) errors: Vec<String>,
}

impl Load {
    pub(crate) fn start(callers: u64, to: Address, tls: Tls) -> Self {
        let (mut tasks, told) = (JoinSet::new(), Arc::new(Told::default()));
        for caller in 0..callers {
            tasks.spawn(call(to.clone(), tls.clone(), Arc::clone(&told), caller % 2 == 0));
        }
        Self { callers: tasks, told }
    }

    /// Waits until so many more connections were opened.
    pub(crate) async fn passes(&self, connections: u64) {
        let goal = self.told.connections.load(Ordering::Relaxed) + connections;
        while self.told.connections.load(Ordering::Relaxed) < goal {
            self.told.progress.notified().await;
        }
    }

    pub(crate) fn progress(&self) -> String {
        let told = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Told { calls, failed, connections, .. } = &*self.told;
        format!("calls={} failed={} connections={}", told(calls), told(failed), told(connections))
    }

    pub(crate) async fn end(mut self) -> Report {
        self.told.ended.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
        Report {
            calls: self.told.calls.load(Ordering::Relaxed),
            failed: self.told.failed.load(Ordering::Relaxed),
            connections: self.told.connections.load(Ordering::Relaxed),
            worst: Duration::from_micros(self.told.worst_micros.load(Ordering::Relaxed)),
            errors: self.told.errors.lock().map(|errors| errors.clone()).unwrap_or_default(),
        }
    }
}

async fn call(to: Address, tls: Tls, told: Arc<Told>, lasting: bool) {
    while !told.ended.load(Ordering::Relaxed) {
        let channel = match Channel::builder(to.clone()).transport(tls.clone()).connect().await {
            Ok(channel) => channel,
            Err(error) => {
                told.fail(&error);
                tokio::task::yield_now().await;
                continue;
            }
        };
        told.connections.fetch_add(1, Ordering::Relaxed);
        told.progress.notify_one();
        let mut calls = 0;
        while !told.ended.load(Ordering::Relaxed) && (lasting || calls < CALLS_A_CONNECTION) {
            told.count(&channel).await;
            calls += 1;
        }
    }
}

impl Told {
    async fn count(&self, channel: &Channel) {
        let begin = Instant::now();
        let answer = channel.call("echo", "hello").await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.worst_micros.fetch_max(micros, Ordering::Relaxed);
        match answer {
            Ok(answer) if answer == "hello" => {}
            Ok(answer) => self.fail(&format!("a wrong answer: {answer:?}")),
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&self, error: &impl ToString) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut errors) = self.errors.lock()
            && errors.len() < SHOWN_MAX
        {
            errors.push(error.to_string());
        }
    }
}
