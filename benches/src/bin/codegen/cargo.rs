//! Cargo, run on the sample crates.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, Output},
};

use crate::{failure::Failure, samples::Samples};

/// Cargo with these arguments. What would make one compilation differ from the next is switched off.
pub(crate) fn cargo<'a>(samples: &Samples, args: impl IntoIterator<Item = &'a str>) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(args)
        .current_dir(samples.folder())
        .env("CARGO_TARGET_DIR", samples.target())
        .env("CARGO_TERM_COLOR", "never")
        // Every compilation does everything.
        .env("CARGO_INCREMENTAL", "0")
        // A compiler cache would be measured instead of the compiler.
        .env("RUSTC_WRAPPER", "");
    command
}

/// Runs a command to its end. `what` says what it is for, as in "could not `what`".
pub(crate) fn run(command: &mut Command, what: &str) -> Result<Output, Failure> {
    let output = command.output();
    let output =
        output.map_err(|error| Failure::new(format!("could not {what}: {error}")).of(shown(command)))?;
    if output.status.success() {
        return Ok(output);
    }
    let failure = match unfetched(&String::from_utf8_lossy(&output.stderr)) {
        Some(dependency) => {
            Failure::new(format!("could not {what}: the dependency `{dependency}` could not be fetched"))
        }
        None => Failure::new(format!("could not {what}: {}", output.status)),
    };
    Err(failure.of(shown(command)).saying(&output.stderr))
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let folder = command.get_current_dir().unwrap_or(Path::new(".")).display();
    let set = command.get_envs().filter_map(|(name, value)| {
        let value = value?.to_string_lossy();
        Some(format!("{}='{value}'", name.to_string_lossy()))
    });
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    let program = command.get_program().to_string_lossy().into_owned();
    let words: Vec<_> = set.chain([program]).chain(args).collect();
    format!("cd {folder} && {}", words.join(" "))
}

/// The dependency that cargo says it could not get, in one of the ways it says so.
fn unfetched(stderr: &str) -> Option<&str> {
    const MARKS: [&str; 4] = [
        "failed to get `",
        "failed to download `",
        "no matching package named `",
        "failed to select a version for the requirement `",
    ];
    let rest = MARKS.iter().find_map(|mark| Some(stderr.split_once(mark)?.1))?;
    rest.split(['`', ' ']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dependency_that_could_not_be_fetched_is_found_in_what_cargo_says() {
        let said = "error: failed to get `tarpc` as a dependency of package `sample-tarpc v0.0.0`";
        assert_eq!(unfetched(said), Some("tarpc"));
        assert_eq!(unfetched("error: failed to download `tonic v0.14.9`"), Some("tonic"));
        assert_eq!(unfetched("error: could not compile `sample-tarpc`"), None);
    }
}
