//! A payment and the record of its request in one transaction: whenever the process dies, either both are there or neither.

use std::path::Path;

use redb::{ReadableTable as _, TableDefinition};
use rpcnet::{CacheLimits, prelude::*, store::RedbStore};
use tokio::{sync::oneshot, task::JoinHandle};

// ANCHOR: service
const BALANCES: TableDefinition<'_, &str, u64> = TableDefinition::new("balances");

#[rpc_trait]
trait Ledger {
    /// Pays in, and says what is there then. It may run again after a death: what it did not commit, it did not do.
    #[rpc(on_unknown = "rerun")]
    async fn pay_in(
        &self,
        ctx: Context,
        request_id: Uuid,
        account: String,
        cents: u64,
    ) -> rpcnet::Result<u64>;
}

struct OnDisk(RedbStore);

impl Ledger for OnDisk {
    async fn pay_in(
        &self,
        ctx: Context,
        _request_id: Uuid,
        account: String,
        cents: u64,
    ) -> rpcnet::Result<u64> {
        let store = self.0.clone();
        // The disk is waited for where nobody else waits.
        let paid = tokio::task::spawn_blocking(move || -> rpcnet::Result<u64> {
            let transaction = store.database().begin_write()?;
            let balance = {
                let mut balances = transaction.open_table(BALANCES)?;
                let before = balances.get(account.as_str())?.map_or(0, |row| row.value());
                balances.insert(account.as_str(), before + cents)?;
                before + cents
            };
            // The answer becomes the request's record, with what it is about.
            store.complete(&ctx, &transaction, &balance)?;
            transaction.commit()?;
            Ok(balance)
        });
        paid.await?
    }
}
// ANCHOR_END: service

struct Running {
    ledger: LedgerClient<Channel>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

// ANCHOR: serve
async fn serve(file: &Path) -> Result<Running, Box<dyn std::error::Error>> {
    let store = RedbStore::open(file, CacheLimits::default())?;
    let service = LedgerServer::new(OnDisk(store.clone()));
    let server = Server::builder().service(service).store(store).bind("127.0.0.1:0").await?;
    // ANCHOR_END: serve
    let (address, (stop, stopped)) = (server.local_addr(), oneshot::channel());
    let serving = tokio::spawn(server.serve_with_shutdown(async { drop(stopped.await) }));
    let ledger = LedgerClient::connect(address).await?;
    Ok(Running { ledger, stop, serving })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("ledger-{}.redb", Uuid::new_v4()));
    let done = run(&file).await;
    std::fs::remove_file(&file)?;
    done
}

async fn run(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let id = Uuid::new_v4();
    let Running { ledger, stop, serving } = serve(file).await?;
    println!("a payment: {} cents", ledger.pay_in(id, "ann".into(), 500).await?);
    println!("the same again: {} cents", ledger.pay_in(id, "ann".into(), 500).await?);
    drop((ledger, stop));
    serving.await?;

    let Running { ledger, stop, serving } = serve(file).await?;
    println!("and after a restart: {} cents", ledger.pay_in(id, "ann".into(), 500).await?);
    println!("another payment: {} cents", ledger.pay_in(Uuid::new_v4(), "ann".into(), 200).await?);
    drop((ledger, stop));
    serving.await?;
    Ok(())
}
