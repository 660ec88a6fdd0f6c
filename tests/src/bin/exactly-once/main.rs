//! Counts executions: `cargo run --release -p rpcnet-tests --bin exactly-once -- --seconds 60 --seed 7 [--seeds 100]`.
//!
//! With `--store redb` the workers' records are on disk, and outlive their crashes. `--processes --store redb|redis --kills 1000` is the
//! same with real processes, see `processes`.
//!
//! A cluster of workers with a keyed method, over a network in memory and in virtual time; callers that repeat their
//! calls, change arguments under a known id, send a call twice at once, and come in pairs with one id; workers that crash and start again, links that are
//! cut, processes that stall, packets that take their time, and tables that are
//! too small, which with even seeds refuse what is new and with odd ones forget what is old. Afterwards, for every id: it ran
//! at most once (`double`), whoever was told that it ran is right and whoever was told that it did not (`lost`), and every
//! other call was told that its outcome is not known (`unknown`, by what was said and what had happened). Ends with status 1 when `double` or `lost`
//! is not 0, or more than one call in a hundred of all seeds is `unknown`.

mod books;
mod callers;
mod faults;
#[cfg(target_os = "linux")]
mod processes;
mod service;
mod store;
mod tally;

use std::{process::ExitCode, time::Duration};

use rpcnet_tests::say;
use store::Kind;
use tally::Tally;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    #[cfg(target_os = "linux")]
    if args.next_if_eq("--worker").is_some() {
        return processes::worker(args);
    }
    let args = match Args::read(args) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match if args.processes { with_processes(&args) } else { simulated(&args) } {
        Ok(tally) => {
            tally.causes().for_each(|line| say!("{line}"));
            say!("{}", tally.summary());
            // Of the calls to a process that is killed many times a second, most are cut short: no share is promised.
            let holds = if args.processes { tally.is_exact() } else { tally.holds() };
            if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

const USAGE: &str = "exactly-once [--seconds N] [--seed K] [--seeds N] [--store memory|redb]
exactly-once --processes --store redb|redis [--kills N] [--seed K]";

#[cfg(target_os = "linux")]
fn with_processes(args: &Args) -> Result<Tally, String> {
    processes::play(args.store, args.kills, args.seed)
}

#[cfg(not(target_os = "linux"))]
fn with_processes(_: &Args) -> Result<Tally, String> {
    Err("with processes it runs on Linux".to_owned())
}

fn simulated(args: &Args) -> Result<Tally, String> {
    if args.store == Kind::Redis {
        return Err("Redis has a clock of its own: `--processes`".to_owned());
    }
    // Handlers panic on purpose, and their servers say so.
    std::panic::set_hook(Box::new(|_| {}));
    let mut all = Tally::default();
    for seed in args.seed..args.seed + args.seeds {
        let tally = play(Duration::from_secs(args.seconds), seed, args.store);
        if args.seeds > 1 && !tally.is_exact() {
            say!("seed {seed}: {}", tally.summary());
        }
        all.add(&tally);
    }
    Ok(all)
}

/// Plays one seed in virtual time, on this thread.
fn play(length: Duration, seed: u64, store: Kind) -> Tally {
    // What the crates draw without being given a seed, they draw from this thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(callers::play(length, seed, store))
}

struct Args {
    seconds: u64,
    seed: u64,
    seeds: u64,
    kills: u64,
    store: Kind,
    processes: bool,
}

impl Args {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read =
            Self { seconds: 60, seed: 1, seeds: 1, kills: 100, store: Kind::Memory, processes: false };
        while let Some(option) = args.next() {
            if option == "--processes" {
                read.processes = true;
                continue;
            }
            let value = args.next().unwrap_or_default();
            if option == "--store" {
                read.store = Kind::read(&value).ok_or_else(|| format!("there is no store {value:?}"))?;
                continue;
            }
            let value = value.parse().map_err(|_| format!("{option} wants a number"))?;
            match option.as_str() {
                "--seconds" => read.seconds = value,
                "--seed" => read.seed = value,
                "--seeds" => read.seeds = value,
                "--kills" => read.kills = value,
                _ => return Err(format!("there is no option {option:?}")),
            }
        }
        Ok(read)
    }
}
