//! Processes that a program of these tests starts, itself with other arguments among them: started, signalled, waited for.

use std::{
    io::{self, Read},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, kill_process};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

pub use rustix::process::Signal;

/// How long a process may take until it is ready, on a machine that is busy with other things.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ready: String,
    /// Open for as long as the process shall live: see [`end_with_parent`].
    _stdin: ChildStdin,
}

impl Process {
    /// Starts this program anew, with these arguments, and waits for a line with `ready` in it.
    ///
    /// # Errors
    ///
    /// What went wrong: it could not be started, or it was not ready within 20 s, or ended before.
    pub async fn of_this_program<A: AsRef<std::ffi::OsStr>>(
        args: impl IntoIterator<Item = A>,
        ready: &str,
    ) -> Result<Self, String> {
        let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        command.args(args);
        Self::start(command, ready).await
    }

    /// Starts a process, and waits for a line with `ready` in it on its standard output.
    ///
    /// # Errors
    ///
    /// As [`of_this_program`](Self::of_this_program).
    pub async fn start(mut command: Command, ready: &str) -> Result<Self, String> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = pipes.spawn().map_err(|error| format!("{name}: {error}"))?;
        let stdin = child.stdin.take().expect("it is piped");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = async {
            loop {
                match lines.next_line().await {
                    Ok(Some(line)) if line.contains(ready) => return Some(line),
                    Ok(Some(_)) => {}
                    _ => return None,
                }
            }
        };
        match timeout(READY_WITHIN, line).await {
            Ok(Some(ready)) => Ok(Self { child, ready, _stdin: stdin }),
            Ok(None) => Err(format!("{name} ended before it was ready")),
            Err(_) => Err(format!("{name} was not ready within {READY_WITHIN:?}")),
        }
    }

    /// The line with which it said that it is ready.
    pub fn ready(&self) -> &str {
        &self.ready
    }

    /// Its number, by which the system knows it; `None` if it has ended.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends it a signal; nothing if it has ended.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        // An error says that it has ended this moment.
        let _ = id.map(|id| kill_process(id, signal));
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When the system cannot say how it ended.
    pub async fn ended(&mut self) -> Result<ExitStatus, String> {
        self.child.wait().await.map_err(|error| error.to_string())
    }
}

/// Ends this process when the one that started it ends, however that happens: then the system closes the other end of the
/// standard input. In a thread of its own, so that nothing the process is busy with keeps it alive.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let mut stdin = io::stdin().lock();
        // Nobody writes anything; whatever might come is read over.
        while stdin.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
}
