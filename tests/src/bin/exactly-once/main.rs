//! Counts executions: `cargo run --release -p rpcnet-tests --bin exactly-once -- --seconds 60 --seed 7 [--seeds 100]`.
//!
//! A cluster of workers with a keyed method, over a network in memory and in virtual time; callers that repeat their
//! calls, change arguments under a known id, and come in pairs with one id; workers that crash and start again, links that are
//! cut, processes that stall, packets that take their time, and tables that are too small. Afterwards, for every id: it ran
//! at most once (`double`), whoever was told that it ran is right and whoever was told that it did not (`lost`), and every
//! other call was told that its outcome is not known (`unknown`, by cause). Ends with status 1 when `double` or `lost`
//! is not 0, or more than one call in a hundred is `unknown`.

mod books;
mod callers;
mod faults;
mod service;
mod tally;

use std::{process::ExitCode, time::Duration};

use tally::Tally;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n\nexactly-once [--seconds N] [--seed K] [--seeds N]");
            return ExitCode::from(2);
        }
    };
    // Handlers panic on purpose, and their servers say so.
    std::panic::set_hook(Box::new(|_| {}));
    let mut all = Tally::default();
    for seed in args.seed..args.seed + args.seeds {
        let tally = play(Duration::from_secs(args.seconds), seed);
        if args.seeds > 1 && !tally.holds() {
            println!("seed {seed}: {}", tally.summary());
        }
        all.add(&tally);
    }
    all.causes().for_each(|line| println!("{line}"));
    println!("{}", all.summary());
    if all.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays one seed in virtual time, on this thread.
fn play(length: Duration, seed: u64) -> Tally {
    // What the crates draw without being given a seed, they draw from this thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(callers::play(length, seed))
}

struct Args {
    seconds: u64,
    seed: u64,
    seeds: u64,
}

impl Args {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { seconds: 60, seed: 1, seeds: 1 };
        while let Some(option) = args.next() {
            let value = args.next().and_then(|value| value.parse().ok());
            let value = value.ok_or_else(|| format!("{option} wants a number"))?;
            match option.as_str() {
                "--seconds" => read.seconds = value,
                "--seed" => read.seed = value,
                "--seeds" => read.seeds = value,
                _ => return Err(format!("there is no option {option:?}")),
            }
        }
        Ok(read)
    }
}
