//! Calls under failure, measured in virtual time: `cargo run --release -p rpcnet-tests --bin resilience -- --scenario kill
//! [--seed 7]`; without a scenario, all of them.
//!
//! With `--processes`, on Linux, the same with real processes, which this program starts and ends: `kill`, `black-hole`,
//! `rolling` and `restart`, in some seconds each.
//!
//! Each prints its set-up, what others have measured, its goals and what it found, and ends with a line for programs. Ends
//! with status 1 when a goal was missed.

mod args;

use std::process::ExitCode;

use args::{Args, USAGE};
use rpcnet_tests::resilience::{Report, SCENARIOS, play};
use rpcnet_tests::say;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    #[cfg(target_os = "linux")]
    if args.next_if_eq(rpcnet_tests::resilience::processes::WORKER).is_some() {
        return rpcnet_tests::resilience::processes::worker(args);
    }
    let args = match Args::read(args) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}\n\n{}", scenarios());
            return ExitCode::from(2);
        }
    };
    match if args.processes { staged(&args) } else { simulated(&args) } {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// Plays in virtual time; whether every goal was met.
fn simulated(args: &Args) -> Result<bool, String> {
    let mut met = true;
    for scenario in args.among(SCENARIOS, |scenario| scenario.name)? {
        met &= printed(scenario.name, scenario.about, args.seed, &play(scenario, args.seed));
    }
    Ok(met)
}

/// Plays with real processes.
#[cfg(target_os = "linux")]
fn staged(args: &Args) -> Result<bool, String> {
    use rpcnet_tests::resilience::processes::STAGES;
    let mut met = true;
    for stage in args.among(STAGES, |stage| stage.name)? {
        met &= printed(stage.name, stage.about, args.seed, &stage.play(args.seed)?);
    }
    Ok(met)
}

#[cfg(not(target_os = "linux"))]
fn staged(_: &Args) -> Result<bool, String> {
    Err("with processes it runs on Linux".to_owned())
}

fn printed(name: &str, about: &str, seed: u64, report: &Report) -> bool {
    say!("{name}: {about}\n{report}{}\n", report.summary(name, seed));
    report.met()
}

fn scenarios() -> String {
    SCENARIOS.iter().map(|scenario| format!("  {:12} {}\n", scenario.name, scenario.about)).collect()
}
