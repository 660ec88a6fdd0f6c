//! What two versions of a trait must have in common.

use rpcnet::{Codec, MethodId, Reason, Service, prelude::*};
use serde::{Deserialize, Serialize};

// ANCHOR: versions
mod first {
    use rpcnet::prelude::*;

    #[rpc_trait(name = "billing")]
    pub(crate) trait Billing {
        async fn charge(&self, account: String, cents: u64) -> rpcnet::Result<()>;
        async fn close(&self, account: String) -> rpcnet::Result<()>;
    }
}

mod second {
    use rpcnet::prelude::*;

    #[rpc_trait(name = "billing")]
    pub(crate) trait Ledger {
        /// New.
        #[rpc(read)]
        async fn balance(&self, account: String) -> rpcnet::Result<u64>;

        /// Has another name in the code, and another place.
        #[rpc(rename = "close")]
        async fn close_account(&self, account: String) -> rpcnet::Result<()>;

        async fn charge(&self, account: String, cents: u64) -> rpcnet::Result<()>;
    }
}
// ANCHOR_END: versions

struct Nobody;

impl first::Billing for Nobody {
    async fn charge(&self, _account: String, _cents: u64) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn close(&self, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }
}

impl second::Ledger for Nobody {
    async fn balance(&self, _account: String) -> rpcnet::Result<u64> {
        Ok(0)
    }

    async fn close_account(&self, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn charge(&self, _account: String, _cents: u64) -> rpcnet::Result<()> {
        Ok(())
    }
}

// ANCHOR: ids
fn ids(service: &impl Service) -> Vec<(&'static str, MethodId)> {
    service.descriptor().methods.iter().map(|method| (method.path, method.id)).collect()
}

#[test]
fn a_methods_id_follows_from_its_name_alone() {
    let first = ids(&first::BillingServer::new(Nobody));
    let second = ids(&second::LedgerServer::new(Nobody));
    assert_eq!(first, ["billing/charge", "billing/close"].map(|path| (path, MethodId::of(path))));
    assert!(first.iter().all(|method| second.contains(method)));
}
// ANCHOR_END: ids

// ANCHOR: bytes
#[test]
fn bytes_do_not_say_what_they_are() {
    /// The first version.
    #[derive(Serialize)]
    struct Order {
        count: u32,
        price: u64,
    }

    /// The second: two fields have changed places.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Reordered {
        price: u64,
        count: u32,
    }

    let codec = Codec::default();
    let bytes = codec.encode(&Order { count: 2, price: 950 }).unwrap();
    let read: Reordered = codec.decode(&bytes).unwrap();
    assert_eq!(read, Reordered { price: 2, count: 950 });
}
// ANCHOR_END: bytes

// ANCHOR: fingerprint
mod changed {
    use rpcnet::prelude::*;

    #[rpc_trait(name = "billing")]
    pub(crate) trait Billing {
        async fn charge(&self, cents: u64, account: String) -> rpcnet::Result<()>;
        #[rpc(idempotent, timeout = "5s")]
        async fn close(&self, account: String) -> rpcnet::Result<()>;
    }
}

#[test]
fn a_fingerprint_tells_what_has_changed() {
    let first = first::BillingServer::new(Nobody).descriptor().methods;
    let changed = changed::BillingServer::new(Nobody).descriptor().methods;
    assert_ne!(first[0].fingerprint(), changed[0].fingerprint());
    assert_eq!(first[1].fingerprint(), changed[1].fingerprint());
}
// ANCHOR_END: fingerprint

impl changed::Billing for Nobody {
    async fn charge(&self, _cents: u64, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn close(&self, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }
}

mod streamed {
    use rpcnet::prelude::*;

    #[rpc_trait(name = "billing")]
    pub(crate) trait Billing {
        async fn charge(&self, account: String, cents: u64) -> rpcnet::Result<Streaming<u64>>;

        #[rpc(keyed)]
        async fn close(&self, account: String) -> rpcnet::Result<()>;
    }
}

impl streamed::Billing for Nobody {
    async fn charge(&self, _account: String, _cents: u64) -> rpcnet::Result<Streaming<u64>> {
        Ok(Streaming::empty())
    }

    async fn close(&self, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }
}

/// The rows of the table of changes that the other tests do not have.
#[tokio::test]
async fn versions_that_do_not_fit_are_refused_before_anything_runs() -> Result<(), Box<dyn std::error::Error>>
{
    let refused = |error: CallError| (error.reason().unwrap(), error.executed());
    let first = rpcnet::Local::new(first::BillingServer::new(Nobody))?;
    let second = rpcnet::Local::new(second::LedgerServer::new(Nobody))?;
    let streamed = rpcnet::Local::new(streamed::BillingServer::new(Nobody))?;

    let later = second::LedgerClient::new(first.clone());
    assert_eq!(
        refused(later.balance("ann".into()).await.unwrap_err()),
        (Reason::UnknownMethod, Executed::No)
    );
    later.close_account("ann".into()).await?;
    later.charge("ann".into(), 1).await?;
    let earlier = first::BillingClient::new(second);
    earlier.charge("ann".into(), 1).await?;
    earlier.close("ann".into()).await?;

    // What is said of repeats and timeouts is the client's business.
    let changed = rpcnet::Local::new(changed::BillingServer::new(Nobody))?;
    first::BillingClient::new(changed).close("ann".into()).await?;
    changed::BillingClient::new(first.clone()).close("ann".into()).await?;

    let earlier = first::BillingClient::new(streamed);
    let error = earlier.charge("ann".into(), 1).await.unwrap_err();
    assert_eq!(refused(error), (Reason::IncompatibleMethod, Executed::No));
    let error = earlier.close("ann".into()).await.unwrap_err();
    assert_eq!(refused(error), (Reason::UndecodableArguments, Executed::No));
    let later = streamed::BillingClient::new(first);
    let error = later.charge("ann".into(), 1).await.map(drop).unwrap_err();
    assert_eq!(refused(error), (Reason::IncompatibleMethod, Executed::No));
    Ok(())
}

/// serde's ways out for formats that name what they hold are none for one that does not.
#[test]
fn a_new_field_or_variant_is_another_type() {
    #[derive(Serialize)]
    enum Before {
        Paid,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum After {
        Open,
        Paid,
    }

    #[derive(Debug, Deserialize)]
    struct Longer {
        _state: After,
        #[serde(default)]
        _note: String,
    }

    let codec = Codec::default();
    let bytes = codec.encode(&Before::Paid).unwrap();
    assert_eq!(codec.decode::<After>(&bytes).unwrap(), After::Open);
    assert!(codec.decode::<Longer>(&bytes).is_err());
}
