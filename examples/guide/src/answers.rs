//! What a method may answer, and what the client makes of it.

use rpcnet::{Executed, prelude::*};
use serde::{Deserialize, Serialize};

// ANCHOR: trait
#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum ShopError {
    #[error("{0} is not sold here")]
    NotSold(String),
}

/// The `Result` of this module.
type Answer<T> = Result<T, ShopError>;

#[rpc_trait]
trait Shop {
    /// An error of one's own: the client matches on it.
    async fn price(&self, item: String) -> Result<u64, ShopError>;

    /// Through an alias. It is the type that counts, and not what it is called.
    async fn stock(&self, item: String) -> Answer<u32>;

    /// Any error, as text: `rpcnet::Result<T>` is `Result<T, AppError>`.
    async fn order(&self, line: String) -> rpcnet::Result<u32>;
}

struct Bakery;

impl Shop for Bakery {
    async fn price(&self, item: String) -> Result<u64, ShopError> {
        if item == "bread" { Ok(450) } else { Err(ShopError::NotSold(item)) }
    }

    async fn stock(&self, item: String) -> Answer<u32> {
        self.price(item).await.map(|_| 12)
    }

    async fn order(&self, line: String) -> rpcnet::Result<u32> {
        let (count, item) = line.split_once(' ').ok_or_else(|| AppError::msg("write `2 bread`"))?;
        self.price(item.to_owned()).await?;
        Ok(count.parse()?)
    }
}
// ANCHOR_END: trait

// ANCHOR: errors
#[tokio::test]
async fn the_methods_own_error_arrives_as_it_is() {
    let shop = ShopClient::local(Bakery);

    let error = shop.stock("tea".into()).await.unwrap_err();
    assert!(matches!(error, CallError::App(ShopError::NotSold(item)) if item == "tea"));

    let error = shop.order("two bread".into()).await.unwrap_err();
    assert_eq!(error.to_string(), "invalid digit found in string");

    let error = shop.order("2 tea".into()).await.unwrap_err();
    assert_eq!((error.to_string(), error.executed()), ("tea is not sold here".into(), Executed::Yes));
}
// ANCHOR_END: errors
