//! The processes: who runs, and what is done to them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use fastrand::Rng;
use rpcnet_tests::process::{Process, Signal};
use tokio::{process::Command, time::sleep};

use super::{LEASE, socket};
use crate::store::Kind;

/// The workers, and the Redis that they share.
pub(super) struct Field {
    kind: Kind,
    folder: PathBuf,
    workers: Vec<Process>,
    _redis: Option<Process>,
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
            self.workers[victim].signal(Signal::STOP);
            sleep(LEASE + Duration::from_millis(random.u64(0..300))).await;
            self.workers[victim].signal(Signal::CONT);
            return Ok(());
        }
        self.workers[victim].signal(Signal::KILL);
        self.workers[victim].ended().await?;
        self.workers[victim] = self.worker(victim).await?;
        Ok(())
    }

    async fn worker(&self, number: usize) -> Result<Process, String> {
        let (folder, number) = (self.folder.as_os_str(), number.to_string());
        let args = ["--worker".into(), self.kind.name().into(), folder.to_owned(), number.into()];
        Process::of_this_program::<OsString>(args, "ready").await
    }
}

async fn redis(folder: &Path) -> Result<Process, String> {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(folder.join("redis"));
    Process::start(command, "ready to accept connections").await
}
