//! All processes are killed, and come back one by one.

use std::time::Duration;

use rpcnet::CallOptions;
use tokio::time::{Instant, sleep};

use super::{Field, Stage, ms};
use crate::{
    process::Signal,
    resilience::{Figure, Report},
};

pub(super) const STAGE: Stage = Stage {
    name: "restart",
    about: "all three workers are killed, and are started again one by one",
    play: |seed| Box::pin(stage(seed)),
};

/// From the first process that is back to a good answer: a call that came before waits no longer than its timeout.
const FIRST_WITHIN: Duration = Duration::from_millis(1_500);

async fn stage(seed: u64) -> Result<Report, String> {
    let mut field = Field::start(3, seed).await?;
    let client = field.client(CallOptions::timeout(Duration::from_secs(1)).idempotent(true));
    let (begun, load) = (Instant::now(), field.load(client, Duration::from_secs(6)));
    sleep(Duration::from_secs(1)).await;
    for worker in &mut field.workers {
        worker.signal(Signal::KILL);
        worker.ended().await?;
    }
    sleep(Duration::from_millis(1_500)).await;
    let mut back = Vec::new();
    for number in 0..field.workers.len() {
        field.restart(number).await?;
        back.push(begun.elapsed());
        sleep(Duration::from_millis(500)).await;
    }
    field.sees(3).await?;
    let all_back = begun.elapsed();
    let samples = load.await.map_err(|error| error.to_string())?;
    let good = samples.iter().filter(|sample| sample.ok()).map(|sample| sample.at + sample.took);
    let first = good.filter(|answered| *answered >= back[0]).min().map(|answered| answered - back[0]);
    let down = samples.between(Duration::from_secs(1), back[0]);
    let last = samples.between(all_back, Duration::MAX);
    let why = last.first_error().map(|error| format!(": {error}")).unwrap_or_default();
    Ok(Report {
        setting: "3 processes, 20 ms ± 2; 300 calls/s for 6 s, timeout 1 s; all killed after 1 s, the first started again 1.5 s later, the \
                  others 0.5 s after each other"
            .into(),
        anchor: "none published",
        figures: vec![
            Figure::goal(
                "first_ms",
                "first good answer after the first is back",
                first.map_or_else(|| "none".to_owned(), ms),
                "at most 1.5 s",
                first.is_some_and(|first| first <= FIRST_WITHIN),
            ),
            Figure::goal(
                "last_failed",
                format!("failed calls of {} once all are back{why}", last.count()),
                last.failed(),
                "0",
                last.failed() == 0 && last.count() > 0,
            ),
            Figure::beside("down_failed", format!("failed calls of {} while all were down", down.count()), down.failed()),
        ],
    })
}
