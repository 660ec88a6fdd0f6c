//! The four kinds of call, over one connection: who streams, how a stream ends, and what each end learns of the other.

use rpcnet::prelude::*;

/// A log that is written to and read from afar.
#[rpc_trait]
trait Log {
    /// One request, one answer.
    #[rpc(read)]
    async fn len(&self) -> rpcnet::Result<usize>;

    /// The server streams: what is in the log from a line on.
    #[rpc(read)]
    async fn read(&self, from: usize) -> rpcnet::Result<Streaming<String>>;

    /// The client streams: adds the lines if all of them arrive, or none. Says how many there are then.
    async fn append(&self, lines: Streaming<String>) -> rpcnet::Result<usize>;

    /// Both stream: each line is searched for as it comes.
    #[rpc(read)]
    async fn search(&self, words: Streaming<String>) -> rpcnet::Result<Streaming<usize>>;
}

#[derive(Default, Clone)]
struct Memory {
    lines: std::sync::Arc<parking_lot::Mutex<Vec<String>>>,
}

impl Log for Memory {
    async fn len(&self) -> rpcnet::Result<usize> {
        Ok(self.lines.lock().len())
    }

    async fn read(&self, from: usize) -> rpcnet::Result<Streaming<String>> {
        let lines = self.lines.lock().get(from..).unwrap_or_default().to_vec();
        Ok(Streaming::iter(lines))
    }

    async fn append(&self, mut lines: Streaming<String>) -> rpcnet::Result<usize> {
        let mut new = Vec::new();
        while let Some(line) = lines.next().await {
            // An error says that the stream was cut: then what has come is not all of it, and is dropped.
            new.push(line?);
        }
        let mut all = self.lines.lock();
        all.extend(new);
        Ok(all.len())
    }

    async fn search(&self, words: Streaming<String>) -> rpcnet::Result<Streaming<usize>> {
        let log = self.clone();
        Ok(words.try_map(move |word| Ok(log.lines.lock().iter().filter(|line| line.contains(&word)).count())))
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let server = Server::builder().service(LogServer::new(Memory::default())).bind("127.0.0.1:0").await?;
    let addr = server.local_addr();
    tokio::spawn(server.serve());
    let log = LogClient::connect(addr).await?;

    let lines = ["a call", "another call", "a stream"].map(str::to_owned);
    println!("client streaming: the log has {} lines", log.append(Streaming::iter(lines)).await?);
    println!("unary: {} lines", log.len().await?);

    let mut read = log.read(1).await?;
    while let Some(line) = read.next().await {
        println!("server streaming: {}", line?);
    }

    let (words, stream) = Streaming::channel(1);
    let mut counts = log.search(stream).await?;
    for word in ["call", "stream"] {
        words.send(word.to_owned()).await?;
        let count = counts.next().await.transpose()?.unwrap_or_default();
        println!("bidirectional: {count} lines with `{word}`");
    }
    words.finish();
    println!("bidirectional: then {:?}", counts.next().await.transpose()?);

    let (half, stream) = Streaming::channel(1);
    let appending = tokio::spawn({
        let log = log.clone();
        async move { log.append(stream).await }
    });
    half.send("half of it".to_owned()).await?;
    drop(half); // without `finish`: the stream is cut
    if let Err(error) = appending.await? {
        println!("a stream that is cut: {error}");
    }
    println!("and the log still has {} lines", log.len().await?);
    Ok(())
}
