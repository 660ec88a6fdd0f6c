//! What to write instead of what the macro refuses.

use std::sync::{Mutex, PoisonError};

use rpcnet::{Service, prelude::*};
use serde::{Deserialize, Serialize};

// ANCHOR: owned
#[rpc_trait]
trait Greeter {
    async fn greet(&self, name: String, titles: Vec<String>) -> rpcnet::Result<String>;
}
// ANCHOR_END: owned

struct English;

impl Greeter for English {
    async fn greet(&self, name: String, titles: Vec<String>) -> rpcnet::Result<String> {
        Ok(format!("hello, {} {name}", titles.join(" ")))
    }
}

// ANCHOR: lock
#[rpc_trait]
trait Counter {
    async fn add(&self, number: u64) -> rpcnet::Result<u64>;
}

#[derive(Default)]
struct Memory {
    sum: Mutex<u64>,
}

impl Counter for Memory {
    async fn add(&self, number: u64) -> rpcnet::Result<u64> {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        *sum += number;
        Ok(*sum)
    }
}
// ANCHOR_END: lock

// ANCHOR: generic
#[derive(Debug, Serialize, Deserialize)]
enum Value {
    Number(i64),
    Text(String),
}

#[rpc_trait]
trait Show {
    async fn show(&self, value: Value) -> rpcnet::Result<String>;
}
// ANCHOR_END: generic

impl Show for English {
    async fn show(&self, value: Value) -> rpcnet::Result<String> {
        Ok(format!("{value:?}"))
    }
}

// ANCHOR: pattern
#[rpc_trait]
trait Names {
    async fn full(&self, name: (String, String)) -> rpcnet::Result<String>;
}

impl Names for English {
    async fn full(&self, (first, last): (String, String)) -> rpcnet::Result<String> {
        Ok(format!("{first} {last}"))
    }
}
// ANCHOR_END: pattern

// ANCHOR: answer
#[rpc_trait]
trait Tasks {
    /// Nothing to say but that it is done.
    async fn run(&self, task: String) -> rpcnet::Result<()>;

    /// Computes for long and waits for nothing.
    #[rpc(blocking)]
    fn measure(&self, text: String) -> rpcnet::Result<usize>;
}
// ANCHOR_END: answer

impl Tasks for English {
    async fn run(&self, _task: String) -> rpcnet::Result<()> {
        Ok(())
    }

    fn measure(&self, text: String) -> rpcnet::Result<usize> {
        Ok(text.chars().count())
    }
}

// ANCHOR: stream
#[derive(Debug, Serialize, Deserialize)]
enum Part {
    Title(String),
    Name(String),
}

#[rpc_trait]
trait Parts {
    /// One stream, of an enum.
    async fn count(&self, parts: Streaming<Part>) -> rpcnet::Result<u32>;

    /// The stream is all of the answer. What goes before it can be its first item.
    async fn list(&self) -> rpcnet::Result<Streaming<Part>>;
}
// ANCHOR_END: stream

impl Parts for English {
    async fn count(&self, mut parts: Streaming<Part>) -> rpcnet::Result<u32> {
        let mut count = 0;
        while let Some(part) = parts.next().await {
            part?;
            count += 1;
        }
        Ok(count)
    }

    async fn list(&self) -> rpcnet::Result<Streaming<Part>> {
        Ok(Streaming::iter([Part::Title("Dr".into()), Part::Name("Ann".into())]))
    }
}

// ANCHOR: reserved
#[rpc_trait]
trait Files {
    #[rpc(rename = "new")]
    async fn create(&self, path: String) -> rpcnet::Result<()>;
}
// ANCHOR_END: reserved

impl Files for English {
    async fn create(&self, _path: String) -> rpcnet::Result<()> {
        Ok(())
    }
}

// ANCHOR: error
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum ReadError {
    #[error("there is no file {path}")]
    Missing { path: String },
    /// What crosses the network of an `io::Error` is its text.
    #[error("{path} cannot be read: {cause}")]
    Io { path: String, cause: String },
}

#[rpc_trait]
trait Disk {
    async fn read(&self, path: String) -> Result<Bytes, ReadError>;

    /// Without an error type: `?` turns any error into an `AppError`.
    async fn size(&self, path: String) -> rpcnet::Result<u64>;
}

struct Local;

impl Disk for Local {
    async fn read(&self, path: String) -> Result<Bytes, ReadError> {
        match tokio::fs::read(&path).await {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ReadError::Missing { path }),
            Err(error) => Err(ReadError::Io { path, cause: error.to_string() }),
        }
    }

    async fn size(&self, path: String) -> rpcnet::Result<u64> {
        Ok(tokio::fs::metadata(path).await?.len())
    }
}
// ANCHOR_END: error

// ANCHOR: send
#[rpc_trait]
trait Log {
    async fn append(&self, line: String) -> rpcnet::Result<usize>;
}

#[derive(Default)]
struct Journal {
    lines: Mutex<Vec<String>>,
}

impl Journal {
    /// The lock is held inside of this function, which does not wait.
    fn push(&self, line: String) -> usize {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line);
        lines.len()
    }
}

impl Log for Journal {
    async fn append(&self, line: String) -> rpcnet::Result<usize> {
        let count = self.push(line);
        tokio::task::yield_now().await;
        Ok(count)
    }
}
// ANCHOR_END: send

#[tokio::test]
async fn all_of_it_works() -> rpcnet::Result<()> {
    let greeting = GreeterClient::local(English).greet("Ann".into(), vec!["Dr".into()]).await?;
    assert_eq!(greeting, "hello, Dr Ann");

    let counter = CounterClient::local(Memory::default());
    counter.add(1).await?;
    assert_eq!(counter.add(2).await?, 3);

    let show = ShowClient::local(English);
    assert_eq!(show.show(Value::Number(1)).await?, "Number(1)");
    assert_eq!(show.show(Value::Text("one".into())).await?, "Text(\"one\")");

    assert_eq!(NamesClient::local(English).full(("Ann".into(), "Lee".into())).await?, "Ann Lee");

    let tasks = TasksClient::local(English);
    tasks.run("rest".into()).await?;
    assert_eq!(tasks.measure("four".into()).await?, 4);

    let parts = PartsClient::local(English);
    let listed = parts.list().await?;
    assert_eq!(parts.count(listed).await?, 2);

    FilesClient::local(English).create("a".into()).await?;
    assert_eq!(FilesServer::new(English).descriptor().methods[0].path, "Files/new");

    assert_eq!(LogClient::local(Journal::default()).append("first".into()).await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_error_of_the_disk_arrives() {
    let disk = DiskClient::local(Local);
    let error = disk.read("/no/such/file".into()).await.unwrap_err();
    assert!(
        matches!(&error, CallError::App(ReadError::Missing { path }) if path == "/no/such/file"),
        "{error}"
    );
    let error = disk.read(env!("CARGO_MANIFEST_DIR").into()).await.unwrap_err();
    assert!(matches!(&error, CallError::App(ReadError::Io { .. })), "{error}");
    assert!(disk.size("/no/such/file".into()).await.is_err());
}
