//! Runs membership in a simulated network, and says what happened: `simulate --nodes 1000 --scenario crash --seed 7`.
//!
//! The last line is for programs. A run in which an invariant did not hold ends with the command that repeats it, and
//! with status 1.

mod args;
mod sweep;

use std::process::ExitCode;
use std::time::Instant;

use args::{Args, Which};
use rpcnet_tests::say;
use rpcnet_tests::sim::{Core, Outcome, Rpcnet, overview};
use sweep::sweep;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n\n{}", args::usage());
            return ExitCode::from(2);
        }
    };
    let result = match args.core {
        Which::Rpcnet => simulate::<Rpcnet>(&args),
        #[cfg(feature = "foca")]
        Which::Foca => simulate::<rpcnet_tests::sim::Foca>(&args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// `false` if an invariant did not hold.
fn simulate<C: Core>(args: &Args) -> Result<bool, String> {
    let (begin, many) = (Instant::now(), args.seeds.end - args.seeds.start > 1);
    let mut outcomes = Vec::new();
    let mut broken = 0;
    sweep::<C>(args, |outcome| {
        if !many {
            say!("core: {}; {}", C::NAME, C::settings(outcome.nodes));
        }
        if !many || outcome.failed() {
            outcome.lines().iter().for_each(|line| say!("{line}"));
        }
        if outcome.failed() {
            broken += 1;
            say!("to repeat it: {}", args.repeat(&outcome));
        }
        if let Some(file) = &args.csv {
            std::fs::write(file, &outcome.csv).map_err(|error| format!("{file}: {error}"))?;
        }
        if let Some(file) = &args.story {
            std::fs::write(file, outcome.story.join("\n") + "\n")
                .map_err(|error| format!("{file}: {error}"))?;
        }
        outcomes.push(Outcome { csv: String::new(), story: Vec::new(), ..outcome });
        Ok(())
    })?;
    say!("took {:.1} s", begin.elapsed().as_secs_f64());
    match outcomes.as_slice() {
        [one] => say!("{}", one.summary()),
        several => say!("{}", overview(several)),
    }
    Ok(broken == 0)
}
