//! The command line, of the program and of the processes it starts.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
One director and three workers compress and hash files; a worker is killed, and no call fails.

Usage: cluster [OPTIONS]

Options:
  --input DIR      Work on the files below DIR; without it, on this repository. Names that begin with a dot, folders
                   that hold CACHEDIR.TAG, and links are skipped, and so is all beyond the first 16 MiB
  --seconds N      How long calls are made, 20 to 3600; without it, 30
  -h, --help       Print this help

The exit status is 0 if every call was answered and every answer was right, 1 if not, and 2 if the arguments are wrong.
";

/// What the process is to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// What a person started: it starts the others, makes the calls and shows what happens.
    Run(Settings),
    /// Print the help.
    Help,
    /// The process that takes calls and passes them to the workers.
    Director,
    /// A process that does the work.
    Worker {
        /// Its name in the table.
        label: String,
        /// Where other nodes of the cluster gossip.
        seeds: Vec<SocketAddr>,
    },
}

/// What can be set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The folder to work on.
    pub(crate) input: PathBuf,
    /// How long calls are made.
    pub(crate) length: Duration,
}

impl Settings {
    const SECONDS_DEFAULT: u64 = 30;
    /// A third until the kill, 8 s for the failure to be established, and some to see the worker work again.
    const SECONDS_MIN: u64 = 20;
    /// An hour: longer shows nothing more.
    const SECONDS_MAX: u64 = 3600;
}

/// Why the command line was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgsError {
    #[error("unknown argument `{0}`")]
    Unknown(String),
    #[error("`{0}` needs a value")]
    NoValue(&'static str),
    #[error(
        "`--seconds {0}` is not a number from {min} to {max}",
        min = Settings::SECONDS_MIN,
        max = Settings::SECONDS_MAX
    )]
    Seconds(String),
    #[error("a worker is started as `worker LABEL SEED...`, by the program itself")]
    Worker,
}

impl Command {
    /// The first argument of the processes that the program starts. Nobody types it, so it is not in the help.
    const CHILD: &str = "__child";

    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut args = args.into_iter().peekable();
        if args.next_if(|arg| arg == Self::CHILD).is_some() {
            return Self::child(args);
        }
        let mut settings =
            Settings { input: repository(), length: Duration::from_secs(Settings::SECONDS_DEFAULT) };
        while let Some(arg) = args.next() {
            let (name, value) = split(&arg);
            let mut value = |name| value.clone().or_else(|| args.next()).ok_or(ArgsError::NoValue(name));
            match name.as_str() {
                "--input" => settings.input = value("--input")?.into(),
                "--seconds" => settings.length = seconds(&value("--seconds")?)?,
                "-h" | "--help" => return Ok(Self::Help),
                _ => return Err(ArgsError::Unknown(arg.to_string_lossy().into_owned())),
            }
        }
        Ok(Self::Run(settings))
    }

    fn child(args: impl Iterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut args = args.map(|arg| arg.to_string_lossy().into_owned());
        match args.next().as_deref() {
            Some("director") => Ok(Self::Director),
            Some("worker") => {
                let label = args.next().ok_or(ArgsError::Worker)?;
                let seeds = args.map(|seed| seed.parse()).collect::<Result<_, _>>();
                Ok(Self::Worker { label, seeds: seeds.map_err(|_| ArgsError::Worker)? })
            }
            other => Err(ArgsError::Unknown(other.unwrap_or_default().to_owned())),
        }
    }

    /// The arguments that make another process of this program a director.
    pub(crate) fn director() -> Vec<String> {
        vec![Self::CHILD.into(), "director".into()]
    }

    /// The arguments that make another process of this program a worker.
    pub(crate) fn worker(label: &str, seeds: &[SocketAddr]) -> Vec<String> {
        let mut args = vec![Self::CHILD.into(), "worker".into(), label.into()];
        args.extend(seeds.iter().map(ToString::to_string));
        args
    }
}

/// `--name=value` as two, anything else as it is.
fn split(arg: &OsString) -> (String, Option<OsString>) {
    match arg.to_str().and_then(|arg| arg.split_once('=')) {
        Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.into())),
        _ => (arg.to_string_lossy().into_owned(), None),
    }
}

fn seconds(value: &OsString) -> Result<Duration, ArgsError> {
    let seconds = value.to_str().and_then(|value| value.parse().ok());
    seconds
        .filter(|seconds| (Settings::SECONDS_MIN..=Settings::SECONDS_MAX).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| ArgsError::Seconds(value.to_string_lossy().into_owned()))
}

/// Where the program was compiled, or where it is run if it was moved to a machine that has no such folder.
fn repository() -> PathBuf {
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR")).parent().filter(|folder| folder.is_dir());
    compiled.unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, ArgsError> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    fn run(line: &str) -> (PathBuf, u64) {
        match parse(line) {
            Ok(Command::Run(settings)) => (settings.input, settings.length.as_secs()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_arguments_it_works_on_this_repository_for_half_a_minute() {
        let (input, seconds) = run("");
        assert!(input.join("examples/Cargo.toml").is_file(), "{input:?}");
        assert_eq!(seconds, 30);
    }

    #[test]
    fn a_value_follows_its_option_or_an_equals_sign() {
        assert_eq!(run("--input /some/where --seconds 25"), ("/some/where".into(), 25));
        assert_eq!(run("--seconds=25 --input=/a=b"), ("/a=b".into(), 25));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, message) in [
            ("--second 5", "unknown argument `--second`"),
            ("src", "unknown argument `src`"),
            ("--input", "`--input` needs a value"),
            ("--seconds", "`--seconds` needs a value"),
            ("--seconds 5", "`--seconds 5` is not a number from 20 to 3600"),
            ("--seconds soon", "`--seconds soon` is not a number from 20 to 3600"),
            ("--seconds -30", "`--seconds -30` is not a number from 20 to 3600"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), message, "{line}");
        }
    }

    #[test]
    fn a_child_reads_what_its_parent_wrote() {
        let seeds = ["127.0.0.1:7000".parse().unwrap(), "[::1]:7001".parse().unwrap()];
        let read = |args: Vec<String>| Command::parse(args.into_iter().map(OsString::from)).unwrap();
        assert_eq!(read(Command::director()), Command::Director);
        assert_eq!(
            read(Command::worker("worker-1", &seeds)),
            Command::Worker { label: "worker-1".into(), seeds: seeds.into() }
        );
    }
}
