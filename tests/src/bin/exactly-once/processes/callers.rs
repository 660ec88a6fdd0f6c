//! Who calls, repeats until something is known, and asks for what was answered again and again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fastrand::Rng;
use parking_lot::Mutex;
use rpcnet::{CallError, CallOptions, Channel, Executed, Reason};
use rpcnet_tests::out;
use tokio::time::sleep;
use uuid::Uuid;

use super::{log::Log, worker::TillClient};
use crate::{store::Kind, tally::Tally};

/// For how long what is not known is asked again: longer than a worker needs to come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the callers were told, all of them together.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    over: AtomicBool,
    answered: Mutex<BTreeMap<Uuid, u64>>,
    not_run: Mutex<Vec<Uuid>>,
    tally: Mutex<Tally>,
}

/// How asking for one id ended.
enum End {
    Answered(u64),
    NotRun,
    Unknown(Reason),
}

pub(super) struct Caller {
    workers: Vec<(String, TillClient<Channel>)>,
    timeout: Duration,
    told: Told,
}

impl Told {
    pub(super) fn end(&self) {
        self.0.over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// Holds what the callers were told against what really ran.
    pub(super) fn tally(&self, log: &Log) -> Tally {
        let mut tally = self.0.tally.lock().clone();
        tally.double += log.doubles();
        let answered = self.0.answered.lock();
        tally.lost += answered.keys().filter(|id| !log.ended(**id)).count() as u64;
        tally.lost += self.0.not_run.lock().iter().filter(|id| log.began(**id)).count() as u64;
        tally
    }

    fn note(&self, id: Uuid, end: End) {
        let mut tally = self.0.tally.lock();
        tally.calls += 1;
        match end {
            End::Answered(answer) => {
                tally.executed_once += 1;
                self.0.answered.lock().insert(id, answer);
            }
            End::NotRun => {
                tally.refused += 1;
                self.0.not_run.lock().push(id);
            }
            End::Unknown(reason) => *tally.unknown.entry((reason, None)).or_default() += 1,
        }
    }

    /// Of a call for something that was answered before: the same answer, or it was lost.
    fn note_again(&self, id: Uuid, before: u64, end: &End) {
        let mut tally = self.0.tally.lock();
        tally.calls += 1;
        match end {
            End::Answered(answer) if *answer == before => tally.replayed += 1,
            End::Answered(_) | End::Unknown(Reason::OutcomeUnknown | Reason::DedupHorizonLost) => {
                tally.lost += 1;
                // Not `say!`: there are processes and a folder to be cleared away, and the summary comes to the same reader.
                let _ = out::line(format_args!("lost: {id}"));
            }
            // Nobody could be asked.
            End::NotRun => tally.refused += 1,
            End::Unknown(reason) => *tally.unknown.entry((*reason, None)).or_default() += 1,
        }
    }
}

impl Caller {
    pub(super) fn new(addresses: Vec<String>, told: &Told, kind: Kind) -> Self {
        let timeout = Duration::from_millis(if kind == Kind::Redis { 2_000 } else { 5_000 });
        let workers =
            addresses.into_iter().map(|address| (address.clone(), client(&address, timeout))).collect();
        Self { workers, timeout, told: told.clone() }
    }

    pub(super) async fn call(mut self, mut random: Rng) {
        let mut known = Vec::new();
        while !self.told.is_over() {
            let id = Uuid::from_u128(random.u128(..));
            let end = self.settle(id, None, &mut random).await;
            if let End::Answered(answer) = end {
                known.push((id, answer, Instant::now()));
            }
            self.told.note(id, end);
            if random.u32(0..3) == 0 && !known.is_empty() {
                let (id, answer, then) = known[random.usize(0..known.len())];
                let end = self.settle(id, Some(then), &mut random).await;
                self.told.note_again(id, answer, &end);
            }
        }
    }

    pub(super) async fn ask_all_again(mut self) {
        let answered = self.told.0.answered.lock().clone();
        let mut random = Rng::with_seed(1);
        for (id, answer) in answered {
            let end = self.settle(id, Some(Instant::now()), &mut random).await;
            self.told.note_again(id, answer, &end);
        }
    }

    /// Calls, at whichever worker, until it is known what became of it.
    async fn settle(&mut self, id: Uuid, sent: Option<Instant>, random: &mut Rng) -> End {
        let (began, mut ran) = (sent.unwrap_or_else(Instant::now), Executed::No);
        let (mut last, begun) = (Reason::Unspecified, Instant::now());
        while begun.elapsed() < PATIENCE {
            let mut options = CallOptions::new();
            if ran != Executed::No || sent.is_some() {
                options = options.first_sent_at(began);
            }
            let worker = random.usize(0..self.workers.len());
            match self.workers[worker].1.with(options).pay(id, 5).await {
                Ok(answer) => return End::Answered(answer),
                Err(error) => {
                    last = reason(&error);
                    if matches!(last, Reason::OutcomeUnknown | Reason::DedupHorizonLost) {
                        return End::Unknown(last);
                    }
                    if error.executed() != Executed::No {
                        ran = Executed::Unknown;
                    }
                    self.connect_anew(worker);
                }
            }
            if self.told.is_over() && ran == Executed::No && sent.is_none() {
                return End::NotRun;
            }
            sleep(Duration::from_millis(random.u64(1..20))).await;
        }
        if ran == Executed::No { End::NotRun } else { End::Unknown(last) }
    }

    /// The channel that was would wait longer and longer before it looks for a worker that dies that often.
    fn connect_anew(&mut self, worker: usize) {
        let (address, channel) = &mut self.workers[worker];
        *channel = client(address, self.timeout);
    }
}

fn client(address: &str, timeout: Duration) -> TillClient<Channel> {
    TillClient::new(Channel::builder(address).lazy()).with(CallOptions::timeout(timeout))
}

fn reason(error: &CallError<rpcnet::AppError>) -> Reason {
    error.reason().unwrap_or(Reason::Unspecified)
}
