//! One director, three workers, real work, a kill, and no failed call: see `--help`.
//!
//! ```text
//!              this process                       director                            worker-1, -2, -3
//!   load ── WorkClient<Channel> ──► WorkServer ── WorkClient<ResilientClient> ──► WorkServer: compress, hash
//!   table ─ WatchClient ──────────► WatchServer        ▲
//!   kill, restart                                      └── WorkerRegistry ◄── gossip ──► ClusterMembership
//! ```
//!
//! What a user of the crates would write is in `work` (the service), `worker` and `director`. The rest stages and measures.

mod args;
mod child;
mod children;
mod corpus;
mod director;
mod load;
mod measure;
mod pace;
mod run;
mod screen;
mod script;
mod summary;
mod table;
mod watch;
mod work;
mod worker;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    args::{Command, HELP, Settings},
    corpus::Corpus,
    screen::Screen,
};

fn main() -> ExitCode {
    match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(settings)) => begin(&settings),
        Ok(Command::Help) => {
            // Whoever closes the pipe early has read enough.
            let _ = io::stdout().write_all(HELP.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Command::Director) => be_child(director::run()),
        Ok(Command::Worker { label, seeds }) => be_child(worker::run(label, seeds)),
        Err(error) => {
            eprintln!("error: {error}; `--help` says what there is");
            ExitCode::from(2)
        }
    }
}

/// What a person started.
fn begin(settings: &Settings) -> ExitCode {
    // Before anything is started: there may be nothing to work on.
    let result = Corpus::read(&settings.input).map_err(Box::from).and_then(|corpus| {
        let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run_or_interrupt(settings, corpus))
    });
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Runs to the end or until a signal comes. The processes are gone when this returns, however it does.
async fn run_or_interrupt(settings: &Settings, corpus: Corpus) -> Result<ExitCode, Box<dyn Error>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut screen = Screen::stdout();
    screen.note(&corpus)?;
    let signal = tokio::select! {
        result = run::run(corpus, settings.length, &mut screen) => {
            let summary = result?;
            let faults = summary.faults();
            faults.iter().try_for_each(|fault| screen.note(format_args!("fault: {fault}")))?;
            screen.note(summary)?;
            return Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
    };
    eprintln!("interrupted");
    // As a shell reports a program that a signal ended.
    Ok(ExitCode::from(128 + u8::try_from(signal.as_raw_value()).unwrap_or(0)))
}

/// What the program started.
fn be_child(run: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    child::end_with_parent();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Box::from).and_then(|runtime| runtime.block_on(run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
