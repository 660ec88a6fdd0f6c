//! One measurement: so many callers, for so long.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::JoinSet};

use crate::subject::{Failure, Subject};

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) calls_per_second: f64,
    /// Of both ends together.
    pub(crate) cpu_per_call: Duration,
}

impl Point {
    pub(crate) fn measure(
        client: &Runtime,
        subject: &Subject,
        callers: usize,
        length: Duration,
    ) -> Result<Self, Failure> {
        let (begin, cpu) = (Instant::now(), cpu_time()?);
        let calls = client.block_on(drive(subject, callers, length))?;
        let (took, cpu) = (begin.elapsed(), cpu_time()? - cpu);
        let count = u32::try_from(calls)?.max(1);
        Ok(Self { calls_per_second: f64::from(count) / took.as_secs_f64(), cpu_per_call: cpu / count })
    }
}

/// How many calls were made.
async fn drive(subject: &Subject, callers: usize, length: Duration) -> Result<u64, Failure> {
    let (over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (subject, over, calls) = (subject.clone(), Arc::clone(&over), Arc::clone(&calls));
        tasks.spawn(async move {
            let mut made = 0;
            while !over.load(Ordering::Relaxed) {
                subject.call().await?;
                made += 1;
            }
            calls.fetch_add(made, Ordering::Relaxed);
            Ok::<_, Failure>(())
        });
    }
    tokio::time::sleep(length).await;
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(calls.load(Ordering::Relaxed))
}

/// The processor time of this process: fields 14 and 15 of its line, in hundredths of a second on Linux.
fn cpu_time() -> io::Result<Duration> {
    let line = fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in parentheses that may hold anything.
    let fields = line.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(10 * ticks))
}
