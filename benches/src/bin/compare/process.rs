//! A system's two processes, and the lines they are asked by on standard input.

use std::{
    io::{BufRead, BufReader, Lines, StdinLock, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

use crate::{
    Failure,
    args::Point,
    load::{self, Caller, Seen},
    subject::Subject,
};

/// What can be called.
pub(crate) trait System {
    type Caller: Caller;

    /// Serves in the background, on a port that the system chooses.
    async fn serve(&self) -> Result<SocketAddr, Failure>;

    /// So many callers, on as many connections as they take.
    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Self::Caller>, Failure>;

    /// Lets the callers make calls for so long: each one after the other, unless the system says otherwise.
    async fn drive(
        &self,
        callers: &mut Vec<Self::Caller>,
        payload: &Bytes,
        length: Duration,
    ) -> Result<Seen, Failure> {
        load::drive(callers, payload, length).await
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Server,
    Client(SocketAddr),
}

/// What one measurement gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) calls_per_second: f64,
    /// Of both processes together, in microseconds.
    pub(crate) cpu_per_call: f64,
    /// The latencies that half, 99 and 99.9 of 100 calls do not exceed, in microseconds.
    pub(crate) latencies: [f64; 3],
    /// By how much the server has grown since it was started, for each caller.
    pub(crate) bytes_per_caller: f64,
}

const QUANTILES: [f64; 3] = [0.5, 0.99, 0.999];

/// Is one of the two processes.
pub(crate) fn run(system: impl System, role: Role) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let asked = std::io::stdin().lock().lines();
    match role {
        Role::Server => serve(&runtime, system, asked),
        Role::Client(to) => call(&runtime, system, to, asked),
    }
}

/// Says where it serves, and then, whenever it is asked, its processor time.
fn serve(runtime: &Runtime, system: impl System, asked: Lines<StdinLock<'_>>) -> Result<(), Failure> {
    println!("{}", runtime.block_on(system.serve())?);
    for line in asked {
        line?;
        println!("{} {}", cpu_nanos(), resident_bytes()?);
    }
    Ok(())
}

/// Measures each point it is asked for: warms up, says so, goes on with the next line.
fn call(
    runtime: &Runtime,
    system: impl System,
    to: SocketAddr,
    mut asked: Lines<StdinLock<'_>>,
) -> Result<(), Failure> {
    while let Some(line) = asked.next().transpose()? {
        let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        let [bytes, callers, millis] = numbers[..] else { return Err("bytes, callers, milliseconds".into()) };
        let (payload, length) = (Bytes::from(vec![7; bytes]), Duration::from_millis(millis as u64));
        let mut callers = runtime.block_on(system.connect(to, callers))?;
        runtime.block_on(system.drive(&mut callers, &payload, length / 4))?;
        println!("warm");
        asked.next().transpose()?;
        let cpu = cpu_nanos();
        let seen = runtime.block_on(system.drive(&mut callers, &payload, length))?;
        let cpu = cpu_nanos() - cpu;
        let [p50, p99, p999] = QUANTILES.map(|quantile| seen.latencies.value_at_quantile(quantile));
        println!("{} {} {cpu} {p50} {p99} {p999}", seen.latencies.len(), seen.took.as_nanos());
    }
    Ok(())
}

/// The processor time of this process.
fn cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The memory of this process that is not elsewhere.
fn resident_bytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("a process has memory")?;
    Ok(kib.trim().parse::<u64>()? << 10)
}

/// The two processes of a system, as seen by whoever compares.
pub(crate) struct Pair {
    server: Asked,
    client: Asked,
    /// The server's memory when it was started.
    began: f64,
}

/// What a server says of itself.
struct Used {
    cpu: f64,
    resident: f64,
}

impl Pair {
    pub(crate) fn start(subject: Subject, certificates: &Path) -> Result<Self, Failure> {
        let (name, folder) = (subject.to_string(), certificates.to_str().ok_or("a folder with an odd name")?);
        let mut server = Asked::start(&["serve", &name, folder])?;
        let address = server.answer()?;
        let began = server.used()?.resident;
        Ok(Self { server, client: Asked::start(&["call", &name, folder, &address])?, began })
    }

    pub(crate) fn measure(&mut self, point: Point, length: Duration) -> Result<Measured, Failure> {
        self.client.ask(format_args!("{} {} {}", point.bytes, point.callers, length.as_millis()))?;
        self.client.answer()?;
        let before = self.server.used()?;
        self.client.ask(format_args!("go"))?;
        let answer = self.client.answer()?;
        let server_cpu = self.server.used()?.cpu - before.cpu;
        let numbers = answer.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [calls, nanos, cpu, p50, p99, p999] = numbers[..] else {
            return Err(format!("the client said {answer}").into());
        };
        let calls = calls.max(1.0);
        Ok(Measured {
            calls_per_second: calls / nanos * 1e9,
            cpu_per_call: (cpu + server_cpu) / calls / 1e3,
            latencies: [p50, p99, p999].map(|nanos| nanos / 1e3),
            bytes_per_caller: (before.resident - self.began) / point.callers as f64,
        })
    }
}

/// A process that answers a line with a line. It ends with its standard input.
struct Asked {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Asked {
    fn start(words: &[&str]) -> Result<Self, Failure> {
        let program = std::env::current_exe()?;
        let mut process =
            Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("its output was asked for")?;
        Ok(Self { input: process.stdin.take(), process, output: BufReader::new(output).lines() })
    }

    fn ask(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or("its input was asked for")?;
        Ok(writeln!(input, "{line}")?)
    }

    fn used(&mut self) -> Result<Used, Failure> {
        self.ask(format_args!("used"))?;
        let numbers = self.answer()?.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [cpu, resident] = numbers[..] else { return Err("processor time and memory".into()) };
        Ok(Used { cpu, resident })
    }

    fn answer(&mut self) -> Result<String, Failure> {
        Ok(self.output.next().ok_or("a process that is measured has ended")??)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.input = None;
        // Nothing is lost with it.
        let _ = self.process.wait();
    }
}
