//! What a method, and the trait around it, may look like.

use std::{collections::BTreeMap, sync::Mutex};

use rpcnet::{Service, prelude::*};

// ANCHOR: forms
/// What the service knows of the time. The client has nothing of it.
trait Clock {
    fn minute(&self) -> u32;
}

#[rpc_trait]
trait Timetable: Clock {
    /// The usual way.
    async fn next(&self, line: String) -> rpcnet::Result<u32>;

    /// The same in other words. Implemented as an `async fn`, or as a function that gives a future.
    fn last(&self, line: String) -> impl Future<Output = rpcnet::Result<u32>>;

    /// With a body, which runs where the service is. An implementation may bring its own.
    async fn wait(&self, line: String) -> rpcnet::Result<u32> {
        Ok(self.next(line).await? - self.minute())
    }

    /// Only in some builds, of both ends.
    #[cfg(debug_assertions)]
    async fn now(&self) -> rpcnet::Result<u32>;
}
// ANCHOR_END: forms

struct Tram;

impl Clock for Tram {
    fn minute(&self) -> u32 {
        7
    }
}

impl Timetable for Tram {
    async fn next(&self, _line: String) -> rpcnet::Result<u32> {
        Ok(10)
    }

    async fn last(&self, _line: String) -> rpcnet::Result<u32> {
        Ok(59)
    }

    #[cfg(debug_assertions)]
    async fn now(&self) -> rpcnet::Result<u32> {
        Ok(self.minute())
    }
}

#[tokio::test]
async fn every_form_is_called_alike() -> rpcnet::Result<()> {
    let timetable = TimetableClient::local(Tram);
    assert_eq!(timetable.next("12".into()).await?, 10);
    assert_eq!(timetable.last("12".into()).await?, 59);
    assert_eq!(timetable.wait("12".into()).await?, 3);
    #[cfg(debug_assertions)]
    assert_eq!(timetable.now().await?, 7);
    Ok(())
}

// ANCHOR: generic
#[rpc_trait]
trait Store<K, V = String>
where
    K: Ord,
{
    async fn put(&self, key: K, value: V) -> rpcnet::Result<Option<V>>;
}

#[derive(Default)]
struct Memory {
    values: Mutex<BTreeMap<u64, String>>,
}

impl Store<u64> for Memory {
    async fn put(&self, key: u64, value: String) -> rpcnet::Result<Option<String>> {
        Ok(self.values.lock().unwrap().insert(key, value))
    }
}

#[tokio::test]
async fn a_trait_may_be_generic() -> rpcnet::Result<()> {
    let store: StoreClient<u64, String, _> = StoreClient::local(Memory::default());
    assert_eq!(store.put(7, "first".into()).await?, None);
    assert_eq!(store.put(7, "second".into()).await?, Some("first".into()));
    Ok(())
}
// ANCHOR_END: generic

// ANCHOR: named
mod platform {
    /// A crate of one's own that has `rpcnet` under another name, for all the others.
    pub(crate) use ::rpcnet as rpc;
}

#[platform::rpc::rpc_trait(crate = crate::methods::platform::rpc, name = "greeter.v2")]
trait Greeter {
    async fn greet(&self, name: String) -> platform::rpc::Result<String>;
}
// ANCHOR_END: named

struct English;

impl Greeter for English {
    async fn greet(&self, name: String) -> rpcnet::Result<String> {
        Ok(format!("hello, {name}"))
    }
}

#[tokio::test]
async fn a_service_has_the_name_it_is_given() -> rpcnet::Result<()> {
    assert_eq!(GreeterServer::new(English).descriptor().methods[0].path, "greeter.v2/greet");
    assert_eq!(GreeterClient::local(English).greet("Ann".into()).await?, "hello, Ann");
    Ok(())
}
