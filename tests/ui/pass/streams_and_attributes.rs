//! Streams in either direction and every attribute, also through aliases and among a user's own types of those names.

#![deny(warnings)]
#![allow(dead_code)]

use rpcnet::prelude::*;

/// A user's own `Result`, of the user's own error.
type Answer<T> = Result<T, String>;

#[rpc_trait]
trait Feed<T = String> {
    async fn watch(&self, prefix: String) -> Answer<Streaming<T>>;
    async fn upload(&self, name: String, parts: rpcnet::Streaming<T>) -> rpcnet::Result<u64>;
    fn chat(&self, ctx: Context, r#in: Streaming<T>) -> impl Future<Output = Result<Streaming<T>, String>>;
    /// Items that are answers themselves.
    #[rpc(read, timeout = "2s")]
    async fn attempts(&self) -> rpcnet::Result<Streaming<Result<u8, String>>>;
    #[rpc(keyed, no_cancel, rename = "pay.v2", alias = "pay", alias = "charge")]
    async fn pay(&self, cents: u64) -> rpcnet::Result<()>;
    #[rpc(blocking, idempotent, hedge)]
    fn hash(&self, ctx: Context, data: Bytes) -> Answer<u64> {
        let _ = ctx;
        Ok(data.len() as u64)
    }
    #[rpc(blocking)]
    fn keyed_hash(&self, request_id: Uuid, data: Bytes) -> Result<u128, String> {
        Ok(request_id.as_u128() + data.len() as u128)
    }
}

struct Memory;

impl Feed<u8> for Memory {
    async fn watch(&self, prefix: String) -> Answer<Streaming<u8>> {
        Ok(Streaming::iter(prefix.into_bytes()))
    }
    async fn upload(&self, _name: String, mut parts: Streaming<u8>) -> rpcnet::Result<u64> {
        let mut count = 0;
        while let Some(part) = parts.next().await {
            part?;
            count += 1;
        }
        Ok(count)
    }
    async fn chat(&self, _ctx: Context, r#in: Streaming<u8>) -> Result<Streaming<u8>, String> {
        Ok(r#in)
    }
    async fn attempts(&self) -> rpcnet::Result<Streaming<Result<u8, String>>> {
        Ok(Streaming::iter([Ok(1), Err("no".to_owned())]))
    }
    async fn pay(&self, _cents: u64) -> rpcnet::Result<()> {
        Ok(())
    }
}

mod hygiene {
    #[allow(non_camel_case_types)]
    pub struct Streaming;
    pub struct Local;
    pub struct Duration;

    #[rpcnet::rpc_trait]
    pub trait Own {
        #[rpc(timeout = "1s")]
        async fn own(&self, items: rpcnet::Streaming<u8>) -> rpcnet::Result<rpcnet::Streaming<u8>>;
    }
}

fn is_send<T: Send>(future: T) -> T {
    future
}

fn futures_are_send<C: rpcnet::Caller>(client: &FeedClient<std::cell::Cell<u8>, C>) {
    drop(is_send(client.watch(String::new())));
    drop(is_send(client.chat(Streaming::empty())));
    drop(is_send(client.hash(Bytes::new())));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let feed = FeedClient::local(Memory);
    let mut watched = feed.watch("ab".into()).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap(), b'a');
    assert_eq!(feed.upload("x".into(), watched).await.unwrap(), 1);
    let mut echoed = feed.chat(Streaming::iter([1, 2])).await.unwrap();
    assert_eq!(echoed.next().await.unwrap().unwrap(), 1);
    let mut attempts = feed.attempts().await.unwrap();
    assert_eq!(attempts.next().await.unwrap().unwrap(), Ok(1));
    assert_eq!(attempts.next().await.unwrap().unwrap(), Err("no".to_owned()));
    feed.pay(1).await.unwrap();
    assert_eq!(feed.hash(Bytes::from_static(b"abc")).await.unwrap(), 3);
    assert_eq!(feed.keyed_hash(Uuid::from_u128(1), Bytes::new()).await.unwrap(), 1);
}
