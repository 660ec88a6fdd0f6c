//! The processes that the program starts: this program again, as a director and as workers.

use std::{
    io,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command as Process},
    sync::mpsc,
    time::timeout,
};

use crate::{args::Command, child::Ready};

/// Why the processes are not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    #[error("cannot start {label}: {source}")]
    Start { label: String, source: io::Error },
    #[error("{label} was not ready within {limit:?}")]
    NotReady { label: String, limit: Duration },
    #[error("{label} ended by itself ({status})")]
    Ended { label: String, status: ExitStatus },
}

/// Takes the lines that the processes write to their standard error, each with the label of the process.
pub(crate) type Complaints = mpsc::Sender<String>;

/// A director and its workers. All end when this is dropped, and when the program ends in whatever way.
#[derive(Debug)]
pub(crate) struct Children {
    running: Vec<Running>,
    complaints: Complaints,
}

#[derive(Debug)]
struct Running {
    label: String,
    ready: Ready,
    process: Child,
    /// Open for as long as the process shall live: see [`end_with_parent`](crate::child::end_with_parent).
    _stdin: ChildStdin,
}

impl Children {
    /// The label of the director.
    const DIRECTOR: &str = "director";
    /// How long a process may take until it is ready, on a machine that is busy with other things.
    const READY_WITHIN: Duration = Duration::from_secs(10);

    /// Starts a director.
    pub(crate) async fn start(complaints: Complaints) -> Result<Self, ChildError> {
        let mut children = Self { running: Vec::new(), complaints };
        children.start_one(Self::DIRECTOR, &Command::director()).await?;
        Ok(children)
    }

    /// Starts a worker that knows all other processes: any one of them is enough for it to join.
    pub(crate) async fn start_worker(&mut self, label: &str) -> Result<(), ChildError> {
        let seeds: Vec<_> = self.running.iter().map(|child| child.ready.gossip).collect();
        self.start_one(label, &Command::worker(label, &seeds)).await
    }

    /// Where the director takes calls.
    pub(crate) fn director(&self) -> SocketAddr {
        self.running[0].ready.rpc
    }

    /// The id of the process of this label, if it is running.
    pub(crate) fn pid(&self, label: &str) -> Option<u32> {
        self.running.iter().find(|child| child.label == label)?.process.id()
    }

    /// Waits for a process that was killed, and forgets it. Its id may belong to another from then on.
    pub(crate) async fn bury(&mut self, label: &str) -> io::Result<()> {
        if let Some(place) = self.running.iter().position(|child| child.label == label) {
            self.running.remove(place).process.wait().await?;
        }
        Ok(())
    }

    /// Those that have ended by themselves since this was last asked. A cluster goes on without a worker, nothing goes on
    /// without the director: that is an error.
    pub(crate) fn take_ended(&mut self) -> Result<Vec<ChildError>, ChildError> {
        let mut ended = Vec::new();
        self.running.retain_mut(|child| match child.process.try_wait() {
            Ok(Some(status)) => {
                ended.push((child.label.clone(), status));
                false
            }
            _ => true,
        });
        let error = |(label, status): (String, _)| {
            let is_director = label == Self::DIRECTOR;
            let error = ChildError::Ended { label, status };
            if is_director { Err(error) } else { Ok(error) }
        };
        ended.into_iter().map(error).collect()
    }

    /// Ends all, and returns when they are gone.
    pub(crate) async fn end(mut self) {
        for child in &mut self.running {
            // An error means that it is gone already.
            let _ = child.process.kill().await;
        }
    }

    async fn start_one(&mut self, label: &str, args: &[String]) -> Result<(), ChildError> {
        let failed = |source| ChildError::Start { label: label.to_owned(), source };
        let mut process = spawn(args).map_err(failed)?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(failed(io::Error::other("it has no pipes")));
        };
        let (complaints, name) = (self.complaints.clone(), label.to_owned());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if complaints.send(format!("{name}: {line}")).await.is_err() {
                    break;
                }
            }
        });
        let ready = match timeout(Self::READY_WITHIN, read_ready(stdout)).await {
            Ok(Some(ready)) => ready,
            Ok(None) => {
                let status = process.wait().await.map_err(failed)?;
                return Err(ChildError::Ended { label: label.to_owned(), status });
            }
            Err(_) => {
                return Err(ChildError::NotReady { label: label.to_owned(), limit: Self::READY_WITHIN });
            }
        };
        self.running.push(Running { label: label.to_owned(), ready, process, _stdin: stdin });
        Ok(())
    }
}

/// This program with other arguments.
fn spawn(args: &[String]) -> io::Result<Child> {
    let mut process = Process::new(std::env::current_exe()?);
    process.args(args).kill_on_drop(true);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C on a terminal reaches all of a process group: only the parent is to see it, which then ends the others.
    process.process_group(0);
    process.spawn()
}

/// The line with which a process says that it is ready; `None` if its output ends without.
async fn read_ready(stdout: ChildStdout) -> Option<Ready> {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(ready) = Ready::parse(&line) {
            return Some(ready);
        }
    }
    None
}
