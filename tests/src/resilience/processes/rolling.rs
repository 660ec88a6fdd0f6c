//! Each process is told to end by SIGTERM, drains, and is started again, one after the other.

use std::time::Duration;

use rpcnet::CallOptions;
use tokio::time::sleep;

use super::{Field, Stage, ms};
use crate::{
    process::Signal,
    resilience::{Figure, Report},
};

pub(super) const STAGE: Stage = Stage {
    name: "rolling",
    about: "each of three workers drains, ends and is started again under load; no call may be sent twice",
    play: |seed| Box::pin(stage(seed)),
};

/// Longer than three restarts take, of which each is two seconds' notice, the last calls, and a new process.
const LASTS: Duration = Duration::from_secs(12);

async fn stage(seed: u64) -> Result<Report, String> {
    let mut field = Field::start(3, seed).await?;
    // At most once: nothing hides a call that was lost.
    let load = field.load(field.client(CallOptions::timeout(Duration::from_secs(5))), LASTS);
    sleep(Duration::from_millis(500)).await;
    let (mut ended_well, mut went_on) = (0, 0);
    for number in 0..field.workers.len() {
        field.workers[number].signal(Signal::TERM);
        ended_well += u32::from(field.workers[number].ended().await?.success());
        field.restart(number).await?;
        field.sees(3).await?;
        went_on += u32::from(!load.is_finished());
    }
    let samples = load.await.map_err(|error| error.to_string())?;
    let why = samples.first_error().map(|error| format!(": {error}")).unwrap_or_default();
    let failed = samples.failed();
    Ok(Report {
        setting: "3 processes, 20 ms ± 2; 300 calls/s for 12 s, at most once; each told to end, drained, and started again".into(),
        anchor: "none published",
        figures: vec![
            Figure::goal("failed", format!("failed calls of {}{why}", samples.count()), failed, "0", failed == 0),
            Figure::goal("drained", "processes that cut no call off", ended_well, "3", ended_well == 3),
            Figure::goal("under_load", "restarts while calls came", went_on, "3", went_on == 3),
            Figure::beside("worst_ms", "the longest call", ms(samples.worst())),
        ],
    })
}
