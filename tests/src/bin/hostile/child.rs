//! A server in a process of its own, which ends with this one's interest in it.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    process::{self, ChildStdin, ChildStdout, Command, Stdio},
};

/// The argument that makes this program the server.
pub(crate) const SERVE: &str = "--serve";

/// The process. Dropping it ends it.
pub(crate) struct Child {
    process: process::Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
    addr: SocketAddr,
}

/// What the server says of itself.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The most handlers that ran at once and cannot be cancelled.
    pub(crate) stubborn: u64,
    /// What happened to connections, and how often.
    pub(crate) events: Vec<(String, u64)>,
}

impl Child {
    /// Starts a server that may have so many files open, or as many as this process.
    pub(crate) fn start(files_max: Option<u64>) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).args(files_max.map(|files| files.to_string()));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(asks), Some(tells)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the server has no standard input and output"));
        };
        let (mut tells, mut line) = (BufReader::new(tells), String::new());
        tells.read_line(&mut line)?;
        let addr = line.trim_end().parse().map_err(io::Error::other)?;
        Ok(Self { process, asks, tells, addr })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Asks what has happened so far.
    pub(crate) fn told(&mut self) -> io::Result<Told> {
        self.asks.write_all(b"?")?;
        let stubborn = self.line()?.parse().unwrap_or(0);
        let mut told = Told { stubborn, events: Vec::new() };
        loop {
            let line = self.line()?;
            let Some((times, event)) = line.split_once(' ') else { return Ok(told) };
            told.events.push((event.to_owned(), times.parse().unwrap_or(0)));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.tells.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// The memory it has now, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory it has had since `forget_peak`.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Lets the peak begin anew. Where that is not permitted, the peak is that of the process's life, which is never less.
    pub(crate) fn forget_peak(&self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5");
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
