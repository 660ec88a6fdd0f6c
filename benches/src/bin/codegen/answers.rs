//! Each program run once: what is compared does work.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{args::Settings, cargo::shown, failure::Failure, framework::Framework, samples::Samples};

/// Fifty calls on one machine take milliseconds; what takes this long hangs.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Fails unless the program of a sample crate answers each of its methods.
pub(crate) fn check(samples: &Samples, framework: Framework, settings: Settings) -> Result<(), Failure> {
    let mut command = Command::new(samples.program(framework, "debug"));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let shown = shown(&command);
    let failure = |what: &str| Failure::new(format!("the program of {framework} {what}")).of(shown.clone());
    let child = command.spawn().map_err(|error| failure(&format!("does not start: {error}")))?;
    let printed = printed(child).map_err(|what| failure(&what))?;
    let expected = format!("answered={}", settings.methods);
    match printed.trim() == expected {
        true => Ok(()),
        false => Err(failure(&format!("says `{}` and not `{expected}`", printed.trim()))),
    }
}

/// What a process prints until its end, if that comes in time.
fn printed(mut child: Child) -> Result<String, String> {
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begin.elapsed() < WAIT_MAX => thread::sleep(Duration::from_millis(20)),
            None => {
                // It is gone either way.
                let _ = child.kill().and_then(|()| child.wait());
                return Err(format!("did not end within {} s", WAIT_MAX.as_secs()));
            }
        }
    };
    let mut text = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut text).map_err(|error| error.to_string())?;
    }
    if status.success() { Ok(text) } else { Err(format!("ended with {status}: {}", text.trim())) }
}
