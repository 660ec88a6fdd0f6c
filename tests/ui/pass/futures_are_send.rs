//! The future of every call can move between threads: also of arguments that cannot be shared, through a caller that is
//! not known, and of a trait whose types are not.

#![deny(warnings)]
#![allow(dead_code)]

use std::cell::Cell;

use rpcnet::{Caller, prelude::*};

#[rpc_trait]
trait Compute<T> {
    async fn plain(&self, number: i64) -> Result<i64, String>;
    async fn alias(&self, number: i64) -> rpcnet::Result<T>;
    async fn keyed(&self, request_id: Uuid, items: Vec<T>) -> Result<T, T>;
    async fn not_sync(&self, cell: Cell<u8>) -> Result<Cell<u8>, Cell<u8>>;
}

fn is_send<T: Send>(future: T) -> T {
    future
}

fn whatever_carries_the_call<T, C>(client: &ComputeClient<T, C>, item: T)
where
    T: rpcnet::private::Wire,
    C: Caller,
{
    drop(is_send(client.plain(1)));
    drop(is_send(client.alias(1)));
    drop(is_send(client.keyed(Uuid::nil(), vec![item])));
    drop(is_send(client.not_sync(Cell::new(1))));
}

fn spawned(client: ComputeClient<u8>) {
    drop(is_send(ComputeClient::<u8>::connect("127.0.0.1:1")));
    tokio::spawn(async move { client.with(CallOptions::new()).not_sync(Cell::new(1)).await.is_ok() });
}

fn implementations_are_send<T: 'static, S: Compute<T>>(service: &S, item: T) {
    drop(is_send(service.plain(1)));
    drop(is_send(service.not_sync(Cell::new(1))));
    drop(item);
}

fn main() {}
