//! What the macro's chapter shows of an expansion compiles: the reviewed one is a part of this program, instead of the attribute.

#![expect(missing_docs, reason = "a method of the snapshot has none, to be seen to be expanded without")]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rpcnet::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("{0}")]
pub struct ComputeError(String);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt(u64);

include!("../../../rpcnet-macros/tests/snapshots/compute.expanded.rs");

#[derive(Default)]
struct Bank(Mutex<BTreeMap<String, u64>>);

impl Compute for Bank {
    async fn square(&self, n: i64) -> Result<i64, ComputeError> {
        n.checked_mul(n).ok_or_else(|| ComputeError(format!("{n} is too large")))
    }

    async fn charge(&self, _: Uuid, account: String, cents: u64) -> Result<Receipt, ComputeError> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let charged = accounts.entry(account).or_default();
        *charged += cents;
        Ok(Receipt(*charged))
    }

    async fn launch(&self, _: Context, _: String) -> rpcnet::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_reviewed_expansion_is_a_client_and_a_server() {
    let compute = ComputeClient::local(Bank::default());
    assert_eq!(compute.square(-3).await.expect("a small number"), 9);
    let id = Uuid::from_u128(1);
    for _ in 0..2 {
        let charged = compute.charge(id, "ann".into(), 500).await.expect("a charge");
        assert_eq!(charged, Receipt(500), "a repeat is given the first answer");
    }
    compute.launch("a ship".into()).await.expect("a launch");
}
