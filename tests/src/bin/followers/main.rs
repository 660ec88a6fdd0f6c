//! What followers cost the node that they follow: `cargo run --release -p rpcnet-tests --bin followers [-- --followers 1000 --seconds
//! 20]`, on Linux.
//!
//! A node in a process of its own changes a tag once a second. Its processor time and memory are read from the system: first
//! alone, then with so many registries of this process following it over TCP on the loopback interface, each with a connection of
//! its own. All of them must have been told of the last change. Ends with a line for programs, and with status 1 when a goal was
//! missed.

#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod node;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if_eq(node::NODE).is_some() {
        return node::main();
    }
    match measure::Settings::read(args).and_then(measure::run) {
        Ok(cost) => {
            rpcnet_tests::say!("{cost}");
            if cost.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("{why}\n\nfollowers [--followers N] [--seconds N]");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("it reads what Linux says of a process");
    ExitCode::from(2)
}
