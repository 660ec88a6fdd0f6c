//! The node: a process of its own, which changes once a second and lets others follow.

use std::{error::Error, process::ExitCode, time::Duration};

use rpcnet::Server;
use rpcnet_cluster::{ClusterMembership, WorkerRegistry};
use rpcnet_tests::{process::end_with_parent, say};

use crate::measure::open_many_files;

/// The argument that makes this program the node.
pub(crate) const NODE: &str = "--node";

/// The tag that changes.
pub(crate) const TAG: &str = "change";

pub(crate) fn main() -> ExitCode {
    end_with_parent();
    open_many_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(serve())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the node: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut server = Server::builder().bind("127.0.0.1:0").await?;
    let addr = server.local_addr();
    let node = ClusterMembership::builder().bind("127.0.0.1:0").label("node").advertise(addr).join().await?;
    server.service(WorkerRegistry::service(&node))?;
    tokio::spawn(server.serve());
    say!("ready {addr}");
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for change in 0_u64.. {
        seconds.tick().await;
        node.set_tag(TAG, change.to_string()).await?;
    }
    Ok(())
}
