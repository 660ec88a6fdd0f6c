//! A worker's process is stopped by SIGSTOP: its connections stay open, and its system takes new ones for it.

use std::time::Duration;

use rpcnet::CallOptions;
use tokio::time::sleep;

use super::{Field, Stage, ms};
use crate::{
    process::Signal,
    resilience::{Figure, Report},
};

pub(super) const STAGE: Stage = Stage {
    name: "black-hole",
    about: "one of three workers is stopped under load, and answers nothing; calls are idempotent",
    play: |seed| Box::pin(stage(seed)),
};

/// What an attempt has of a call's two seconds.
const ATTEMPT: Duration = Duration::from_secs(1);
/// What the second attempt takes, on a machine that is busy with other things.
const SECOND: Duration = Duration::from_millis(250);

async fn stage(seed: u64) -> Result<Report, String> {
    let field = Field::start(3, seed).await?;
    let client = field.client(CallOptions::timeout(2 * ATTEMPT).idempotent(true));
    let load = field.load(client, Duration::from_secs(5));
    sleep(Duration::from_secs(2)).await;
    field.workers[1].signal(Signal::STOP);
    let samples = load.await.map_err(|error| error.to_string())?;
    let slow = samples.iter().filter(|sample| sample.took > Duration::from_millis(500)).count();
    let why = samples.first_error().map(|error| format!(": {error}")).unwrap_or_default();
    let (failed, worst) = (samples.failed(), samples.worst());
    Ok(Report {
        setting: "3 processes, 20 ms ± 2; 300 calls/s for 5 s, timeout 2 s, so that an attempt has 1 s; stopped after 2 s, for good".into(),
        anchor: "none published",
        figures: vec![
            Figure::goal("failed", format!("failed calls of {}{why}", samples.count()), failed, "0", failed == 0),
            Figure::goal("worst_ms", "the longest call", ms(worst), "an attempt and 250 ms", worst <= ATTEMPT + SECOND),
            Figure::beside("waited", "calls that waited for it, over 500 ms", slow),
        ],
    })
}
