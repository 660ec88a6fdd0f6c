//! A cluster of twelve real processes, each in a network namespace of its own, and what happens to it: `cargo run
//! --release -p rpcnet-tests --bin netns -- [--seeds 20]`.
//!
//! Each time is printed beside the range that the simulator has for the same fault; they agree when they are within a
//! second. The network is veth pairs on two bridges, all inside of namespaces of this run: the host's own network is not
//! touched, and nothing is left of it, also after an interruption. Needs Linux, root and `ip`; without them it says so and
//! ends well.

#[cfg(target_os = "linux")]
mod expected;
#[cfg(target_os = "linux")]
mod field;
#[cfg(target_os = "linux")]
mod lab;
#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod node;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(target_os = "linux")]
mod told;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
use rpcnet_tests::out;

/// What may go wrong with the tools, not with what is measured.
#[cfg(target_os = "linux")]
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    rpcnet_tests::say!("skipped: network namespaces are Linux'");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((word, rest)) if word == node::NODE => node::run(rest).await.map(|()| true),
        _ => run(&words).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if out::is_reader_gone(error.as_ref()) => ExitCode::from(out::READER_GONE),
        Err(error) => {
            eprintln!("netns: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
async fn run(words: &[String]) -> Outcome<bool> {
    use tokio::signal::unix::{SignalKind, signal};

    let seeds = match words {
        [] => 20,
        [word, seeds] if word == "--seeds" => seeds.parse()?,
        _ => return Err("netns [--seeds N]: how many runs of the simulator make a range".into()),
    };
    if let Err(why) = lab::possible() {
        out::line(format_args!("skipped: {why}\nsummary: skipped=1"))?;
        return Ok(true);
    }
    let (mut interrupted, mut ended) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let lab = lab::Lab::new()?;
    let mut field = field::Field::new(lab)?;
    // Whichever comes first, the field is dropped at the end of this function, and with it all there is.
    let rows = tokio::select! {
        rows = scenarios::all(&mut field, seeds) => rows?,
        _ = interrupted.recv() => return Err("interrupted".into()),
        _ = ended.recv() => return Err("ended".into()),
    };
    let agree = rows.iter().filter(|row| row.agrees()).count();
    let fields: Vec<_> = rows.iter().map(expected::Row::field).collect();
    let (nodes, fields, count) = (field::NODES, fields.join(" "), rows.len());
    out::line(format_args!("summary: nodes={nodes} {fields} rows={count} agree={agree}"))?;
    Ok(agree == rows.len())
}
