//! The command line.

use std::{ffi::OsString, fmt, ops::RangeInclusive};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Compiles one and the same service with RpcNet, tarpc and tonic, and reports what each costs: the time to compile it,
and the code that is generated for it. Needs the network once, for the peers; nothing of them is in the workspace.

Usage: codegen [OPTIONS]

Options:
  --methods N   How many methods the service has, 1 to 1000; without it, 50
  --runs K      How often each crate is compiled, 1 to 100; the median counts; without it, 3
  --release     Compile optimized programs too
  -h, --help    Print this help

Everything is written into `codegen` in the target folder: the sample crates, to be read, and what they are built to.
The exit status is 0 if everything was measured, 1 if not, and 2 if the arguments are wrong.
";

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run(Settings),
    Help,
}

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How many methods the service has.
    pub(crate) methods: usize,
    /// How often each crate is compiled.
    pub(crate) runs: usize,
    /// Whether optimized programs are compiled too.
    pub(crate) release: bool,
}

impl Settings {
    /// A service of fewer is no service.
    const METHODS: RangeInclusive<usize> = 1..=1000;
    /// The median of more is not worth the hours.
    const RUNS: RangeInclusive<usize> = 1..=100;
}

impl Default for Settings {
    fn default() -> Self {
        Self { methods: 50, runs: 3, release: false }
    }
}

/// Why the command line was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ArgsError {
    Unknown(String),
    NoValue(&'static str),
    OutOfRange { name: &'static str, value: String, range: RangeInclusive<usize> },
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(arg) => write!(f, "unknown argument `{arg}`"),
            Self::NoValue(name) => write!(f, "`{name}` needs a value"),
            Self::OutOfRange { name, value, range } => {
                write!(f, "`{name} {value}` is not a number from {} to {}", range.start(), range.end())
            }
        }
    }
}

impl Command {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut args = args.into_iter().map(|arg| arg.to_string_lossy().into_owned());
        let mut settings = Settings::default();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let mut number = |name, range| number(name, value.clone().or_else(|| args.next()), range);
            match name {
                "--methods" => settings.methods = number("--methods", Settings::METHODS)?,
                "--runs" => settings.runs = number("--runs", Settings::RUNS)?,
                "--release" if value.is_none() => settings.release = true,
                "-h" | "--help" => return Ok(Self::Help),
                _ => return Err(ArgsError::Unknown(arg)),
            }
        }
        Ok(Self::Run(settings))
    }
}

fn number(
    name: &'static str,
    value: Option<String>,
    range: RangeInclusive<usize>,
) -> Result<usize, ArgsError> {
    let value = value.ok_or(ArgsError::NoValue(name))?;
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(ArgsError::OutOfRange { name, value, range }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Command, ArgsError> {
        Command::parse(args.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_has_a_default_and_can_be_set() {
        assert_eq!(parse(""), Ok(Command::Run(Settings { methods: 50, runs: 3, release: false })));
        let set = Settings { methods: 7, runs: 1, release: true };
        assert_eq!(parse("--methods 7 --runs=1 --release"), Ok(Command::Run(set)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |args| parse(args).unwrap_err().to_string();
        assert_eq!(message("--method 7"), "unknown argument `--method`");
        assert_eq!(message("--runs"), "`--runs` needs a value");
        assert_eq!(message("--methods 0"), "`--methods 0` is not a number from 1 to 1000");
    }
}
