//! What a service of many methods costs the compiler with RpcNet, tarpc and tonic: see `--help`.
//!
//! `service` says what the methods are, `sources` writes them for each `framework` into the crates of `samples`; `timing`
//! and `code` measure those, `report` prints.

mod answers;
mod args;
mod cargo;
mod code;
mod compiler;
mod failure;
mod framework;
mod report;
mod samples;
mod service;
mod sources;
mod timing;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use crate::{
    args::{Command, HELP, Settings},
    code::Code,
    failure::Failure,
    framework::Framework,
    report::Report,
    samples::Samples,
    service::Method,
};

fn main() -> ExitCode {
    if compiler::is_called() {
        return compiler::call();
    }
    match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(settings)) => finish(measure(settings)),
        Ok(Command::Help) => print(HELP),
        Err(error) => {
            eprintln!("error: {error}; `--help` says what there is");
            ExitCode::from(2)
        }
    }
}

fn measure(settings: Settings) -> Result<Report, Failure> {
    let samples = Samples::write(&Method::all(settings.methods))?;
    samples.fetch()?;
    let times = timing::measure(&samples, settings)?;
    for framework in Framework::ALL {
        answers::check(&samples, framework, settings)?;
    }
    let code = Framework::ALL.iter().map(|framework| Code::measure(&samples, *framework, settings));
    let code = code.collect::<Result<_, _>>()?;
    Report::new(&samples, settings, times, code)
}

fn finish(report: Result<Report, Failure>) -> ExitCode {
    match report {
        Ok(report) => print(&format!("{report}\n")),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> ExitCode {
    // Whoever closes the pipe early has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
