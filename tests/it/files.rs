//! A system without room for another connection: the server waits for it, and does not spin.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use rpcnet::{
    Address, Channel, Server,
    transport::{
        Accepted, BoxFuture, BoxStream, Listener, Transport, memory::MemoryHost, memory::MemoryNetwork,
    },
};

use crate::world::{BenchClient, BenchServer, Probe};

/// A host whose next accepts fail.
#[derive(Debug, Clone)]
struct Poor {
    host: MemoryHost,
    failures: usize,
    asked: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct PoorListener {
    listener: Box<dyn Listener>,
    poor: Poor,
}

impl Transport for Poor {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        self.host.connect(to)
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = self.host.listen(at).await?;
            Ok(Box::new(PoorListener { listener, poor: self.clone() }) as Box<dyn Listener>)
        })
    }
}

impl Listener for PoorListener {
    fn address(&self) -> Address {
        self.listener.address()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        if self.poor.asked.fetch_add(1, Ordering::SeqCst) < self.poor.failures {
            return Poll::Ready(Err(io::Error::other("too many open files")));
        }
        self.listener.poll_accept(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_out_of_files_rests_between_its_attempts_and_serves_when_it_has_some() {
    let network = MemoryNetwork::new(1);
    let asked = Arc::new(AtomicUsize::new(0));
    let poor = Poor { host: network.host([10, 0, 0, 1]), failures: 100, asked: Arc::clone(&asked) };
    let builder = Server::builder().service(BenchServer::new(Probe::default())).transport(poor);
    tokio::spawn(builder.bind("10.0.0.1:7000").await.unwrap().serve());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!((1..=50).contains(&asked.load(Ordering::SeqCst)), "{asked:?} attempts in a second");
    // Time is virtual: it passes while nobody has anything to do.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let client = network.host([10, 0, 0, 2]);
    let channel = Channel::builder("10.0.0.1:7000").transport(client).connect().await.unwrap();
    assert_eq!(BenchClient::new(channel).echo("fine".into()).await.unwrap(), "fine");
    assert!(asked.load(Ordering::SeqCst) > 100);
}
