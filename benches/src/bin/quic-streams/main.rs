//! Should each call have a stream of QUIC to itself? Measures 64-byte echoes over: a stream a call, by quinn without anything of
//! RpcNet; RpcNet, all calls on one stream of QUIC; RpcNet over TLS and over plain TCP.
//!
//! ```text
//! cargo run --release -p rpcnet-bench --features quic --bin quic-streams -- [rounds, 5 by default] [seconds a point, 1]
//! ```
//!
//! The points are measured in turns, so that what else the machine does meets all of them; a result is the median of the rounds.
//! Server and client are two runtimes of one thread each in one process, whose processor time is that of both ends.

mod measure;
mod plain;
mod report;
mod subject;

use std::{error::Error, time::Duration};

use self::{measure::Point, report::Report, subject::Subject};

/// How many callers make calls at once, each one after the other.
const CALLERS: [usize; 3] = [1, 64, 512];

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().map_or(Ok(5), |text| text.parse())?;
    let seconds: f64 = args.next().map_or(Ok(1.0), |text| text.parse())?;
    let one_thread = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let (server, client) = (one_thread()?, one_thread()?);
    let subjects = Subject::all(&server, &client)?;
    let mut report = Report::default();
    for round in 0..=rounds {
        for callers in CALLERS {
            for subject in &subjects {
                // The first round warms up.
                let length = Duration::from_secs_f64(if round == 0 { seconds / 4.0 } else { seconds });
                let point = Point::measure(&client, subject, callers, length)?;
                if round > 0 {
                    report.add(subject.name(), callers, point);
                }
            }
        }
    }
    report.print(&CALLERS);
    Ok(())
}
