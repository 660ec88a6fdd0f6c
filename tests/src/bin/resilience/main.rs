//! Calls under failure, measured in virtual time: `cargo run --release -p rpcnet-tests --bin resilience -- --scenario kill
//! [--seed 7]`; without a scenario, all of them.
//!
//! Each prints its set-up, what others have measured, its goals and what it found, and ends with a line for programs. Ends
//! with status 1 when a goal was missed.

use std::process::ExitCode;

use rpcnet_tests::resilience::{SCENARIOS, Scenario, play};

fn main() -> ExitCode {
    match chosen(std::env::args().skip(1)) {
        Ok((scenarios, seed)) => run(&scenarios, seed),
        Err(why) => {
            eprintln!("{why}\n\n{}", usage());
            ExitCode::from(2)
        }
    }
}

fn run(scenarios: &[&Scenario], seed: u64) -> ExitCode {
    let mut met = true;
    for scenario in scenarios {
        let report = play(scenario, seed);
        println!("{}: {}\n{report}{}\n", scenario.name, scenario.about, report.summary(scenario.name, seed));
        met &= report.met();
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn chosen(mut args: impl Iterator<Item = String>) -> Result<(Vec<&'static Scenario>, u64), String> {
    let (mut scenarios, mut seed): (Vec<_>, _) = (SCENARIOS.iter().collect(), 1);
    while let Some(option) = args.next() {
        let value = args.next().ok_or_else(|| format!("{option} wants a value"))?;
        match option.as_str() {
            "--scenario" => {
                let named = SCENARIOS.iter().find(|scenario| scenario.name == value);
                scenarios = vec![named.ok_or_else(|| format!("there is no scenario {value:?}"))?];
            }
            "--seed" => seed = value.parse().map_err(|_| format!("--seed wants a number, not {value:?}"))?,
            _ => return Err(format!("there is no option {option:?}")),
        }
    }
    Ok((scenarios, seed))
}

fn usage() -> String {
    let lines = SCENARIOS.iter().map(|scenario| format!("  {:12} {}\n", scenario.name, scenario.about));
    format!("resilience [--scenario NAME] [--seed K]\n\n{}", lines.collect::<String>())
}
