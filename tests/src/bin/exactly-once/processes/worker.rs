//! A worker: a process of its own, with a method that writes down what it does.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use rpcnet::{prelude::*, store::Store};

use super::{LEASE, log::Writer, socket};
use crate::store::Kind;

#[rpc_trait]
pub(super) trait Till {
    /// Pays once for each id. The answer is another one each time it runs.
    async fn pay(&self, request_id: Uuid, cents: u64) -> rpcnet::Result<u64>;
}

#[derive(Debug)]
struct Pays(Writer);

impl Till for Pays {
    async fn pay(&self, request_id: Uuid, _cents: u64) -> rpcnet::Result<u64> {
        self.0.note('b', request_id)?;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..6))).await;
        self.0.note('e', request_id)?;
        Ok(fastrand::u64(..))
    }
}

/// Serves until it is killed: `--worker <store> <folder> <number>`.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> ExitCode {
    let kind = args.next().as_deref().and_then(Kind::read);
    let (folder, number) = (args.next(), args.next().and_then(|number| number.parse().ok()));
    let (Some(kind), Some(folder), Some(number)) = (kind, folder, number) else { return ExitCode::from(2) };
    rpcnet_tests::process::end_with_parent();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let served =
        runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(serve(kind, folder.into(), number)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker {number}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(kind: Kind, folder: PathBuf, number: usize) -> Result<(), Box<dyn std::error::Error>> {
    let service = TillServer::new(Pays(Writer::open(&folder)?));
    let mut server = Server::builder().service(service);
    if let Some(store) = store(kind, &folder).await? {
        server = server.shared_store(store);
    }
    let server = server.bind(format!("unix:{}", socket(&folder, number).display())).await?;
    // Whoever started it waits for this.
    rpcnet_tests::say!("ready");
    server.serve().await;
    Ok(())
}

async fn store(
    kind: Kind,
    folder: &std::path::Path,
) -> Result<Option<Arc<dyn Store>>, rpcnet::store::StoreError> {
    Ok(match kind {
        Kind::Memory => None,
        Kind::Redb => {
            let file = folder.join("records.redb");
            Some(Arc::new(rpcnet::store::RedbStore::open(file, rpcnet::CacheLimits::default())?))
        }
        Kind::Redis => {
            let mut settings = rpcnet::store::RedisSettings::default();
            settings.lease = LEASE;
            let url = format!("redis+unix://{}", folder.join("redis").display());
            Some(Arc::new(rpcnet::store::RedisStore::connect(&url, settings).await?))
        }
    })
}
