//! A worker: a process of its own that joins the cluster, and takes its leave when it is told to end.

use std::{error::Error, process::ExitCode, time::Duration};

use rpcnet::Server;
use rpcnet_cluster::ClusterMembership;
use tokio::signal::unix::{SignalKind, signal};

use super::super::{Service, Work};
use crate::process::end_with_parent;

/// The argument that makes the program a worker: `--worker <label> <seed> <a node's address>`.
pub const WORKER: &str = "--worker";

/// What a call takes.
const WORK: Service = Service::Takes { mean: Duration::from_millis(20), spread: Duration::from_millis(2) };

/// How long calls may go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Works until it is told to end, or killed; the arguments are those after [`WORKER`].
pub fn main(mut args: impl Iterator<Item = String>) -> ExitCode {
    let (label, seed) = (args.next(), args.next().and_then(|seed| seed.parse().ok()));
    let (Some(label), Some(seed), Some(node)) = (label, seed, args.next()) else { return ExitCode::from(2) };
    end_with_parent();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let worked = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(work(&label, seed, &node)));
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{label}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn work(label: &str, seed: u64, node: &str) -> Result<(), Box<dyn Error>> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let work = Work::new(WORK, 0, seed);
    let server = Server::builder().register("work", move |bytes| work.clone().work(bytes));
    let server = server.bind("127.0.0.1:0").await?;
    let (rpc, handle) = (server.local_addr(), server.handle());
    tokio::spawn(server.serve());
    let node = ClusterMembership::builder().bind("127.0.0.1:0").seeds([node]).label(label).advertise(rpc);
    let node = node.join().await?;
    // Whoever started it waits for this.
    crate::say!("ready");
    told_to_end.recv().await;
    match node.drain(&handle, GRACE).await.cut_off {
        0 => Ok(()),
        calls => Err(format!("{calls} calls were cut off").into()),
    }
}
