//! How close is RpcNet to what the sockets give? Measures echoes over RpcNet, over raw TCP, and over a bare multiplexer.
//!
//! ```text
//! cargo run --release -p rpcnet-bench --features compare -- compare [rounds=5] [millis=500] [systems=mux,rpcnet]
//!     [points=64x512,1024x64] [table=FILE] [plot=FILE]
//! ```
//!
//! A point is the bytes of an echo and how many callers make calls at once, each one after the other. The server and the client of
//! a system are processes of their own, with tokio's ordinary runtime. The points are measured in turns, so that what else the
//! machine does meets all of them; a result is the median of the rounds, a ratio the median of the ratios within a round.

mod allocs;
mod args;
mod dispatch;
mod idle;
mod keyed;
mod load;
mod mux;
mod net;
mod open;
#[cfg(feature = "peers")]
mod peers;
mod process;
mod raw;
mod report;
mod rpc;
mod streams;
mod subject;

use std::{collections::BTreeSet, error::Error, path::Path};

use self::{
    args::{Args, Point},
    net::Certificates,
    process::{Pair, Role},
    report::Report,
    subject::Subject,
};

/// Whatever goes wrong ends the program.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", subject, folder] => Subject::named(subject)?.run(Role::Server, Path::new(folder)),
        ["call", subject, folder, address] => {
            Subject::named(subject)?.run(Role::Client(address.parse()?), Path::new(folder))
        }
        ["compare", ref rest @ ..] => compare(&Args::parse(rest)?),
        _ => {
            Err("usage: rpcnet-bench compare [rounds=5] [millis=500] [systems=a,b] [points=64x1,64x512] [table=FILE] \
             [plot=FILE]"
                .into())
        }
    }
}

fn compare(args: &Args) -> Result<(), Failure> {
    let certificates = Certificates::make()?;
    let mut pairs = Vec::new();
    for subject in &args.subjects {
        pairs.push((*subject, Pair::start(*subject, certificates.folder())?));
    }
    let mut report = Report::default();
    for round in 0..args.rounds {
        // Point by point and not system by system: what is compared is measured one after the other.
        for point in points(args) {
            for (subject, pair) in &mut pairs {
                if subject.points(&args.points).contains(&point) {
                    report.add(round, point, *subject, pair.measure(point, args.length)?);
                }
            }
        }
    }
    drop(pairs);
    report.print(args, allocs::count()?)
}

/// All that is measured, each once.
fn points(args: &Args) -> BTreeSet<Point> {
    args.subjects.iter().flat_map(|subject| subject.points(&args.points)).collect()
}
