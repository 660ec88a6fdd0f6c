//! The same with real processes: workers over a store that outlives them, killed by SIGKILL and stopped by SIGSTOP.
//!
//! Each worker is this program, started anew. What it runs it writes to a log before and after, which is no part of the
//! store; in the end the log says what really ran, how often, and whether whoever was told so was told the truth.

mod callers;
mod field;
mod log;
mod worker;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use fastrand::Rng;
use uuid::Uuid;

pub(crate) use self::worker::main as worker;
use self::{
    callers::{Caller, Told},
    field::Field,
    log::Log,
};
use crate::{store::Kind, tally::Tally};

/// How many call at once.
const CALLERS: u64 = 8;

/// Kills so often, and counts.
///
/// # Errors
///
/// What could not be started.
pub(crate) fn play(kind: Kind, kills: u64, seed: u64) -> Result<Tally, String> {
    let folder = Folder::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut field = Field::start(kind, &folder.0).await?;
        let told = Told::default();
        let mut calling = tokio::task::JoinSet::new();
        for number in 0..CALLERS {
            let caller = Caller::new(field.addresses(), &told, kind);
            calling.spawn(caller.call(Rng::with_seed(seed << 8 | number)));
        }
        let mut random = Rng::with_seed(seed ^ 0x5eed);
        for _ in 0..kills {
            field.trouble(&mut random).await?;
        }
        told.end();
        while calling.join_next().await.is_some() {}
        // Once more, of all that was answered: after the last death as after the others.
        let caller = Caller::new(field.addresses(), &told, kind);
        caller.ask_all_again().await;
        Ok(told.tally(&Log::read(&folder.0)?))
    })
}

/// Where it all is; gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("rpcnet-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn socket(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("worker-{number}"))
}

/// Short, so that what a stalled worker holds is soon held for dead.
const LEASE: Duration = Duration::from_millis(500);
