//! A trait, and what stands beside it when the macro is done.

use std::collections::BTreeMap;

// ANCHOR: trait
use rpcnet::prelude::*;
use serde::{Deserialize, Serialize};

/// Why there is no answer.
#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum AccountError {
    #[error("nobody is called {0}")]
    Unknown(String),
}

/// Knows what everybody has.
#[rpc_trait]
trait Accounts {
    /// What is left, in cents.
    #[rpc(read)]
    async fn balance(&self, name: String) -> Result<u64, AccountError>;
}
// ANCHOR_END: trait

// ANCHOR: implement
struct Ledger {
    cents: BTreeMap<String, u64>,
}

impl Accounts for Ledger {
    async fn balance(&self, name: String) -> Result<u64, AccountError> {
        self.cents.get(&name).copied().ok_or(AccountError::Unknown(name))
    }
}
// ANCHOR_END: implement

fn ledger() -> Ledger {
    Ledger { cents: BTreeMap::from([("ann".to_owned(), 3000)]) }
}

// ANCHOR: call
#[tokio::test]
async fn a_client_calls_what_a_server_serves() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().service(AccountsServer::new(ledger())).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());

    let accounts = AccountsClient::connect(address).await?;
    assert_eq!(accounts.balance("ann".into()).await?, 3000);
    let error = accounts.balance("zoe".into()).await.unwrap_err();
    assert!(matches!(error, CallError::App(AccountError::Unknown(name)) if name == "zoe"));
    Ok(())
}
// ANCHOR_END: call
