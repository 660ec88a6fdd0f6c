//! A worker's process ends by SIGKILL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rpcnet::CallOptions;
use rpcnet_cluster::{AttemptEnd, CallReport, NodeId};
use tokio::time::sleep;

use super::{Field, Stage, ms};
use crate::{
    process::Signal,
    resilience::{Figure, Report},
};

pub(super) const STAGE: Stage = Stage {
    name: "kill",
    about: "one of three workers is killed under load; calls are idempotent",
    play: |seed| Box::pin(stage(seed)),
};

async fn stage(seed: u64) -> Result<Report, String> {
    let field = Field::start(3, seed).await?;
    let attempts = Attempts::at(field.id(1)?);
    let seen = attempts.clone();
    let client = field.client(CallOptions::new().idempotent(true));
    let load = field.load(client.reporting(move |report| seen.note(report)), Duration::from_secs(5));
    sleep(Duration::from_secs(2)).await;
    field.workers[1].signal(Signal::KILL);
    let killed = Instant::now();
    field.sees(2).await?;
    let by_gossip = killed.elapsed();
    let samples = load.await.map_err(|error| error.to_string())?;
    let why = samples.first_error().map(|error| format!(": {error}")).unwrap_or_default();
    let (failed, ejected) = (samples.failed(), attempts.went_on());
    Ok(Report {
        setting:
            "3 processes, 20 ms ± 2; 300 calls/s for 5 s, all settings at their defaults; killed after 2 s"
                .into(),
        anchor: "gossip alone takes 6 to 8 s to notice (memberlist and foca, their defaults)",
        figures: vec![
            Figure::goal(
                "failed",
                format!("failed calls of {}{why}", samples.count()),
                failed,
                "0",
                failed == 0,
            ),
            Figure::goal(
                "ejected_ms",
                "from the first attempt that failed to the last that was sent there",
                ejected.map_or_else(|| "none".to_owned(), ms),
                "at most 100 ms",
                ejected.is_some_and(|ejected| ejected <= EJECTED_WITHIN),
            ),
            Figure::beside("worst_ms", "the longest call", ms(samples.worst())),
            Figure::beside(
                "gossip_ms",
                "until gossip said so too, which is told to look at once",
                ms(by_gossip),
            ),
        ],
    })
}

const EJECTED_WITHIN: Duration = Duration::from_millis(100);

/// The attempts at one worker.
#[derive(Clone)]
struct Attempts {
    worker: NodeId,
    list: Arc<Mutex<Vec<Attempt>>>,
}

/// When an attempt began, and when it failed if it did.
type Attempt = (Instant, Option<Instant>);

impl Attempts {
    fn at(worker: NodeId) -> Self {
        Self { worker, list: Arc::default() }
    }

    fn note(&self, report: &CallReport) {
        let called = Instant::now() - report.took;
        for attempt in report.attempts.iter().filter(|attempt| attempt.worker == self.worker) {
            let (began, failed) = (called + attempt.began, matches!(attempt.end, AttemptEnd::Failed(_)));
            self.list.lock().push((began, failed.then(|| began + attempt.took)));
        }
    }

    /// How long after the first failure the last attempt began; nothing if none failed.
    fn went_on(&self) -> Option<Duration> {
        let list = self.list.lock();
        let first_failure = list.iter().filter_map(|(_, failed)| *failed).min()?;
        Some(list.iter().map(|(began, _)| *began).max()?.saturating_duration_since(first_failure))
    }
}
