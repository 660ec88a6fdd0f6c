//! The processes: who runs, and what is done to them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::sleep,
};

use super::{LEASE, socket};
use crate::store::Kind;

/// The workers, and the Redis that they share.
pub(super) struct Field {
    kind: Kind,
    folder: PathBuf,
    workers: Vec<Child>,
    _redis: Option<Child>,
}

impl Field {
    pub(super) async fn start(kind: Kind, folder: &Path) -> Result<Self, String> {
        let redis = if kind == Kind::Redis { Some(redis(folder).await?) } else { None };
        let mut field = Self { kind, folder: folder.to_owned(), workers: Vec::new(), _redis: redis };
        // A file has one process; what is shared has several.
        let many = if kind == Kind::Redis { 3 } else { 1 };
        for number in 0..many {
            let worker = field.worker(number).await?;
            field.workers.push(worker);
        }
        Ok(field)
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        (0..self.workers.len())
            .map(|number| format!("unix:{}", socket(&self.folder, number).display()))
            .collect()
    }

    /// Kills a worker at a moment that chance picks and starts it again; where others can go on, it is now and then stopped
    /// for longer than its lease before that.
    pub(super) async fn trouble(&mut self, random: &mut Rng) -> Result<(), String> {
        sleep(Duration::from_micros(random.u64(0..60_000))).await;
        let victim = random.usize(0..self.workers.len());
        if self.kind == Kind::Redis && random.u32(0..5) == 0 {
            self.signal(victim, Signal::STOP);
            sleep(LEASE + Duration::from_millis(random.u64(0..300))).await;
            self.signal(victim, Signal::CONT);
            return Ok(());
        }
        self.signal(victim, Signal::KILL);
        self.workers[victim].wait().await.map_err(|error| error.to_string())?;
        self.workers[victim] = self.worker(victim).await?;
        Ok(())
    }

    fn signal(&self, worker: usize, signal: Signal) {
        let id = self.workers[worker].id().and_then(|id| Pid::from_raw(id.cast_signed()));
        id.map(|id| kill_process(id, signal));
    }

    async fn worker(&self, number: usize) -> Result<Child, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["--worker", self.kind.name()]).arg(&self.folder).arg(number.to_string());
        started(command, "ready").await
    }
}

async fn redis(folder: &Path) -> Result<Child, String> {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(folder.join("redis"));
    started(command, "ready to accept connections").await
}

/// Starts a process, and waits until it says that it serves.
async fn started(mut command: Command, ready: &str) -> Result<Child, String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let mut child = child.map_err(|error| format!("{name}: {error}"))?;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) if line.contains(ready) => return Ok(child),
            Ok(Some(_)) => {}
            _ => return Err(format!("{name} ended before it served")),
        }
    }
}
