//! What the system says of the node's process, without followers and with them.

use std::{fmt, fs, time::Duration};

use rpcnet_cluster::WorkerRegistry;
use rpcnet_tests::process::Process;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{Instant, sleep, timeout};

use crate::node::{NODE, TAG};

/// The most of a core that followers may cost, in percent.
const CPU_PERCENT_MAX: f64 = 5.0;
/// The most memory that one of them may cost.
const KIB_MAX: f64 = 64.0;
/// Until all of them have the picture, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Settings {
    followers: usize,
    seconds: u64,
}

impl Settings {
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { followers: 1_000, seconds: 20 };
        while let Some(option) = args.next() {
            let value = args.next().unwrap_or_default();
            let number = value.parse::<usize>().ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| format!("{option} wants a number"))?;
            match option.as_str() {
                "--followers" => read.followers = number,
                "--seconds" => read.seconds = number as u64,
                _ => return Err(format!("there is no option {option:?}")),
            }
        }
        Ok(read)
    }
}

/// What so many followers cost.
#[derive(Debug)]
pub(crate) struct Cost {
    settings: Settings,
    /// Of a core, by the node alone.
    alone_percent: f64,
    /// Of a core, by the node with followers.
    percent: f64,
    /// Of memory, each.
    kib: f64,
}

impl Cost {
    /// What the followers add, in percent of a core.
    fn added(&self) -> f64 {
        (self.percent - self.alone_percent).max(0.0)
    }

    pub(crate) fn is_met(&self) -> bool {
        self.added() <= CPU_PERCENT_MAX && self.kib <= KIB_MAX
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { settings: Settings { followers, seconds }, alone_percent, percent, kib }, added) =
            (self, self.added());
        writeln!(
            f,
            "{followers} followers over TCP, a change a second, {seconds} s each without and with them"
        )?;
        writeln!(
            f,
            "  processor time of the node: {alone_percent:.2} % of a core without followers, {percent:.2} % with them"
        )?;
        writeln!(f, "  they cost {added:.2} % of a core (goal: at most {CPU_PERCENT_MAX} %)")?;
        writeln!(f, "  and {kib:.1} KiB each (goal: at most {KIB_MAX} KiB)")?;
        let met = self.is_met();
        write!(
            f,
            "summary: followers={followers} cpu_percent={added:.2} alone_percent={alone_percent:.2} kib_each={kib:.1} met={met}"
        )
    }
}

pub(crate) fn run(settings: Settings) -> Result<Cost, String> {
    open_many_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(measured(settings))
}

async fn measured(settings: Settings) -> Result<Cost, String> {
    let node = Process::of_this_program([NODE], "ready").await?;
    let addr = node.ready().strip_prefix("ready ").ok_or("the node does not say where it is")?.to_owned();
    let id = node.id().ok_or("the node has ended")?;
    let length = Duration::from_secs(settings.seconds);
    sleep(Duration::from_secs(2)).await;
    let (alone_percent, alone_kib) = (share(id, length).await?, memory_kib(id)?);
    let followers: Vec<_> =
        (0..settings.followers).map(|_| WorkerRegistry::follow([addr.as_str()]).start()).collect();
    timeout(PATIENCE, all_fresh(&followers)).await.map_err(|_| "some followers have no picture")?;
    // What it takes to accept them is no part of it.
    sleep(Duration::from_secs(3)).await;
    let percent = share(id, length).await?;
    let kib = (memory_kib(id)? - alone_kib) / settings.followers as f64;
    told_alike(&followers).await?;
    Ok(Cost { settings, alone_percent, percent, kib })
}

async fn all_fresh(followers: &[WorkerRegistry]) {
    for follower in followers {
        follower.fresh().await;
    }
}

/// Whether all followers hear of changes: each has one that came after now.
async fn told_alike(followers: &[WorkerRegistry]) -> Result<(), String> {
    let change = |follower: &WorkerRegistry| -> Option<u64> {
        follower.workers().first()?.tags.get(TAG)?.parse().ok()
    };
    let newest = followers.iter().filter_map(change).max().ok_or("nobody was told of a change")?;
    let begun = Instant::now();
    while !followers.iter().all(|follower| change(follower).is_some_and(|change| change > newest)) {
        if begun.elapsed() > PATIENCE {
            return Err("some followers are not told of changes".to_owned());
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The share of a core that a process takes over a time, in percent.
async fn share(id: u32, length: Duration) -> Result<f64, String> {
    let (before, begun) = (processor_time(id)?, Instant::now());
    sleep(length).await;
    let spent = processor_time(id)?.saturating_sub(before);
    Ok(100.0 * spent.as_secs_f64() / begun.elapsed().as_secs_f64())
}

/// The processor time of all threads of a process, its own and the system's for it, to the nanosecond (proc(5), `schedstat`).
fn processor_time(id: u32) -> Result<Duration, String> {
    let mut nanos = 0;
    let threads = format!("/proc/{id}/task");
    for thread in fs::read_dir(&threads).map_err(|error| format!("{threads}: {error}"))? {
        let file = thread.map_err(|error| error.to_string())?.path().join("schedstat");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let spent = text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok());
        nanos += spent.ok_or_else(|| format!("{}: {text:?}", file.display()))?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// The memory that a process has in use (proc(5), `status`).
fn memory_kib(id: u32) -> Result<f64, String> {
    let file = format!("/proc/{id}/status");
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse().ok());
    kib.ok_or_else(|| format!("{file} has no VmRSS"))
}

/// A connection is a file, and the usual limit is close to a thousand.
pub(crate) fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is refused, connections will be, and said to be.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
