//! A service with every kind of unary method, called over TCP.

#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]

use rpcnet::{Service, prelude::*};

/// What a sum can fail with.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TooLarge {
    /// The number.
    pub number: i64,
}

/// A result of this module, as people have them.
pub type Answer<T> = std::result::Result<T, TooLarge>;

/// Does sums.
#[rpc_trait]
pub trait Compute {
    /// Marked.
    #[rpc(idempotent)]
    async fn square(&self, number: i64) -> Result<i64, TooLarge>;

    /// Keyed.
    async fn charge(&self, request_id: Uuid, account: String) -> rpcnet::Result<(Uuid, String)>;

    /// With a context, between the arguments.
    async fn identify(&self, first: u8, ctx: Context, last: u8) -> rpcnet::Result<(u8, bool, u8)>;

    /// Keyed and with a context.
    async fn both(&self, ctx: rpcnet::Context, request_id: rpcnet::prelude::Uuid) -> Answer<bool>;

    /// Not written with `async`.
    fn explicit(&self, number: i64) -> impl Future<Output = Answer<i64>> + Send;

    /// Nor with `Send`.
    fn without_send(&self, number: i64) -> impl Future<Output = Answer<i64>>;

    /// With a body, which changes its argument, returns early, and asks with a question mark.
    async fn twice(&self, mut number: i64) -> Result<i64, TooLarge> {
        if number == 0 {
            return Ok(0);
        }
        number += self.square(number).await?;
        Ok(number)
    }

    /// With a body and not written with `async`.
    fn later(&self, number: i64) -> impl Future<Output = Answer<i64>> + Send {
        async move { Ok(number) }
    }

    /// Without arguments, and with an answer that says only that it is one.
    async fn nothing(&self) -> Answer<()>;
}

#[derive(Debug)]
struct Worker;

impl Compute for Worker {
    async fn square(&self, number: i64) -> Result<i64, TooLarge> {
        number.checked_mul(number).ok_or(TooLarge { number })
    }

    async fn charge(&self, request_id: Uuid, account: String) -> rpcnet::Result<(Uuid, String)> {
        Ok((request_id, account))
    }

    async fn identify(&self, first: u8, ctx: Context, last: u8) -> rpcnet::Result<(u8, bool, u8)> {
        Ok((first, ctx.peer().is_some(), last))
    }

    async fn both(&self, ctx: Context, request_id: Uuid) -> Answer<bool> {
        Ok(ctx.request_id() == Some(request_id))
    }

    async fn explicit(&self, number: i64) -> Answer<i64> {
        Ok(number)
    }

    async fn without_send(&self, number: i64) -> Answer<i64> {
        Ok(number)
    }

    async fn nothing(&self) -> Answer<()> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let service = ComputeServer::from_arc(std::sync::Arc::new(Worker));
    assert_eq!(format!("{service:?}"), "ComputeServer { .. }");
    assert_eq!(service.descriptor().docs, "Does sums.");
    let server = Server::builder().service(service.clone()).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let client = ComputeClient::connect(address).await?;

    let id = Uuid::from_u128(7);
    assert_eq!(client.square(3).await?, 9);
    assert!(matches!(client.square(i64::MAX).await, Err(CallError::App(TooLarge { number: i64::MAX }))));
    assert_eq!(client.charge(id, "a".to_owned()).await.map_err(|_| "charge")?, (id, "a".to_owned()));
    assert_eq!(client.identify(1, 2).await.map_err(|_| "identify")?, (1, true, 2));
    assert!(client.both(id).await?);
    assert_eq!(client.explicit(4).await?, 4);
    assert_eq!(client.without_send(5).await?, 5);
    assert_eq!(client.twice(6).await?, 42);
    assert_eq!(client.twice(0).await?, 0);
    assert_eq!(client.later(8).await?, 8);
    let quick = client.with(CallOptions::timeout(std::time::Duration::from_secs(5)));
    quick.clone().nothing().await?;
    Ok(())
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is too large", self.number)
    }
}

impl std::error::Error for TooLarge {}
