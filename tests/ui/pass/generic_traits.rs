//! Generic services: types, defaults, constants, bounds, super-traits, `where` clauses.

#![deny(warnings)]

use std::{collections::BTreeMap, fmt::Debug, hash::Hash, sync::Mutex};

use rpcnet::prelude::*;

trait Audit {
    fn audited(&self) -> bool;
}

/// No bound says that `K` and `V` can cross the network: that is asked of those who call and serve.
#[rpc_trait(name = "kv.v2")]
trait Store<K, V = String>: Audit + Debug
where
    K: Ord,
    Self: Sized,
{
    async fn put(&self, key: K, value: V) -> rpcnet::Result<Option<V>>;

    async fn all(&self) -> Result<Vec<(K, V)>, K>;
}

#[rpc_trait]
trait Fixed<T: Copy + Hash, const N: usize> {
    async fn reverse(&self, items: Vec<T>) -> Result<(usize, Vec<T>), T>;
}

#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<u8, String>>);

impl Audit for Memory {
    fn audited(&self) -> bool {
        true
    }
}

impl Store<u8> for Memory {
    async fn put(&self, key: u8, value: String) -> rpcnet::Result<Option<String>> {
        assert!(self.audited());
        Ok(self.0.lock().unwrap().insert(key, value))
    }

    async fn all(&self) -> Result<Vec<(u8, String)>, u8> {
        Ok(self.0.lock().unwrap().iter().map(|(key, value)| (*key, value.clone())).collect())
    }
}

impl Fixed<i8, 3> for Memory {
    async fn reverse(&self, items: Vec<i8>) -> Result<(usize, Vec<i8>), i8> {
        Ok((3, items.into_iter().rev().collect()))
    }
}

#[tokio::main]
async fn main() {
    let server = Server::builder()
        .service(StoreServer::new(Memory::default()))
        .service(FixedServer::new(Memory::default()))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let channel = Channel::connect(address).await.unwrap();

    let store = StoreClient::<u8>::new(channel.clone());
    assert_eq!(store.put(1, "one".to_owned()).await.unwrap(), None);
    assert_eq!(store.clone().all().await.unwrap(), [(1, "one".to_owned())]);
    let fixed: FixedClient<i8, 3> = FixedClient::new(channel);
    assert_eq!(fixed.reverse(vec![1, 2, 3]).await.unwrap(), (3, vec![3, 2, 1]));
}
