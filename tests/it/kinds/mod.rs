//! The four kinds of call and what a method's attributes do: the same over every road a call can take.

mod attributes;
mod failover;
mod streams;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpcnet::{Local, StreamSender, prelude::*};
use rpcnet_cluster::{ResilientClient, testkit::TestCluster};
use tokio::sync::Notify;

use crate::world::World;

/// What the claims are about.
#[rpc_trait]
pub(crate) trait Kinds {
    /// Counts up to a number.
    async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>>;

    /// Counts for ever, an hour apart.
    async fn hours(&self) -> rpcnet::Result<Streaming<u32>>;

    /// Adds up what is streamed.
    async fn sum(&self, from: u32, numbers: Streaming<u32>) -> rpcnet::Result<u32>;

    /// Gives back each line as it comes.
    async fn chat(&self, lines: Streaming<String>) -> Result<Streaming<String>, String>;

    /// Streams two items and then fails, or panics.
    async fn break_off(&self, panic: bool) -> rpcnet::Result<Streaming<u32>>;

    /// Reads one item and no more.
    async fn first(&self, numbers: Streaming<u32>) -> rpcnet::Result<Option<u32>>;

    /// Hands the stream to the test.
    async fn hold(&self, numbers: Streaming<u32>) -> rpcnet::Result<()>;

    /// The tenant and the trace of the call, and of a call it makes.
    async fn about(&self, ctx: Context) -> rpcnet::Result<(Option<String>, Option<String>)>;

    /// The id the client made.
    #[rpc(keyed)]
    async fn keyed(&self) -> rpcnet::Result<Uuid>;

    #[rpc(alias = "greet", alias = "salute")]
    async fn hello(&self) -> rpcnet::Result<String>;

    #[rpc(read, timeout = "50ms")]
    async fn hurried(&self) -> rpcnet::Result<()>;

    /// Waits until nobody waits for it.
    #[rpc(no_cancel)]
    async fn dogged(&self, ctx: Context) -> rpcnet::Result<()>;

    /// Reads until the stream ends, whoever waits; counts that it was cut.
    #[rpc(no_cancel)]
    async fn dogged_sum(&self, numbers: Streaming<u32>) -> rpcnet::Result<()>;

    /// Hands the stream to a task, and answers.
    async fn hand_over(&self, numbers: Streaming<u32>) -> rpcnet::Result<()>;

    /// The name of the thread, and whether the call is known there.
    #[rpc(blocking)]
    fn blocking(&self, text: String) -> rpcnet::Result<(String, bool)>;

    #[rpc(blocking)]
    fn blocking_panic(&self) -> rpcnet::Result<()>;

    /// Says that it began, and blocks its thread until nobody waits for it.
    #[rpc(blocking)]
    fn blocking_wait(&self, ctx: Context) -> rpcnet::Result<()>;
}

/// The service's side of a claim.
#[derive(Debug, Default, Clone)]
pub(crate) struct Probe {
    /// How many items were made.
    made: Arc<AtomicUsize>,
    /// How many streams, or handlers, have ended.
    ended: Arc<AtomicUsize>,
    held: Arc<Mutex<Option<Streaming<u32>>>>,
    done: Arc<Notify>,
}

/// Counts that what it is part of has ended.
struct Ended(Probe);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        self.0.done.notify_one();
    }
}

impl Probe {
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }

    /// Whether a stream was handed to `hold`.
    pub(crate) fn holds(&self) -> bool {
        self.held.lock().unwrap().is_some()
    }

    /// Reads a stream until it ends, and counts if it was cut.
    async fn read_to_the_end(&self, mut numbers: Streaming<u32>) {
        let _ended = Ended(self.clone());
        while let Some(number) = numbers.next().await {
            if number.is_err() {
                self.made.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

impl Kinds for Probe {
    async fn count(&self, to: u32) -> rpcnet::Result<Streaming<u32>> {
        let ended = Ended(self.clone());
        Ok(Streaming::iter((1..=to).inspect(move |_| {
            ended.0.made.fetch_add(1, Ordering::SeqCst);
        })))
    }

    async fn hours(&self) -> rpcnet::Result<Streaming<u32>> {
        let (sender, stream) = Streaming::channel(1);
        let ended = Ended(self.clone());
        tokio::spawn(async move {
            let _ended = ended;
            for hour in 1.. {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(3600)) => {}
                    () = sender.closed() => return,
                }
                if sender.send(hour).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream)
    }

    async fn sum(&self, from: u32, mut numbers: Streaming<u32>) -> rpcnet::Result<u32> {
        let mut sum = from;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn chat(&self, lines: Streaming<String>) -> Result<Streaming<String>, String> {
        Ok(lines.try_map(|line| Ok(line.to_uppercase())))
    }

    async fn break_off(&self, panic: bool) -> rpcnet::Result<Streaming<u32>> {
        let items = Streaming::iter(1..=3);
        Ok(items.try_map(move |item| match item {
            3 if panic => panic!("as asked"),
            3 => Err(rpcnet::Status::new(rpcnet::Reason::Overloaded, rpcnet::Executed::Yes, "as asked")),
            item => Ok(item),
        }))
    }

    async fn first(&self, mut numbers: Streaming<u32>) -> rpcnet::Result<Option<u32>> {
        Ok(numbers.next().await.transpose()?)
    }

    async fn hold(&self, numbers: Streaming<u32>) -> rpcnet::Result<()> {
        *self.held.lock().unwrap() = Some(numbers);
        self.done.notified().await;
        Ok(())
    }

    async fn about(&self, ctx: Context) -> rpcnet::Result<(Option<String>, Option<String>)> {
        let tenant = ctx.metadata().get("tenant").map(str::to_owned);
        match tenant {
            // A call made inside inherits the trace, and not the metadata.
            Some(tenant) => {
                let (inner, trace) = Box::pin(KindsClient::local(self.clone()).about()).await?;
                assert_eq!(inner, None);
                assert_eq!(trace, ctx.trace().map(|trace| trace.to_string()));
                Ok((Some(tenant), trace))
            }
            None => Ok((None, ctx.trace().map(|trace| trace.to_string()))),
        }
    }

    async fn keyed(&self) -> rpcnet::Result<Uuid> {
        Ok(Context::current().and_then(|call| call.request_id()).expect("a keyed call has an id"))
    }

    async fn hello(&self) -> rpcnet::Result<String> {
        Ok("hello".to_owned())
    }

    async fn hurried(&self) -> rpcnet::Result<()> {
        std::future::pending().await
    }

    async fn dogged(&self, ctx: Context) -> rpcnet::Result<()> {
        let _ended = Ended(self.clone());
        ctx.cancelled().await;
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn dogged_sum(&self, numbers: Streaming<u32>) -> rpcnet::Result<()> {
        self.read_to_the_end(numbers).await;
        Ok(())
    }

    async fn hand_over(&self, numbers: Streaming<u32>) -> rpcnet::Result<()> {
        let probe = self.clone();
        tokio::spawn(async move { probe.read_to_the_end(numbers).await });
        Ok(())
    }

    fn blocking(&self, text: String) -> rpcnet::Result<(String, bool)> {
        Ok((text, Context::current().is_some()))
    }

    fn blocking_panic(&self) -> rpcnet::Result<()> {
        panic!("as asked")
    }

    fn blocking_wait(&self, ctx: Context) -> rpcnet::Result<()> {
        self.done.notify_one();
        let _ended = Ended(self.clone());
        while !ctx.is_cancelled() {
            std::thread::yield_now();
        }
        Ok(())
    }
}

/// A way for calls to take, and what is at its end.
struct Road<C> {
    client: KindsClient<C>,
    caller: C,
    probe: Probe,
}

/// Within the process.
async fn local_road() -> Road<Local> {
    let probe = Probe::default();
    let caller = Local::new(KindsServer::new(probe.clone())).unwrap();
    Road { client: KindsClient::new(caller.clone()), caller, probe }
}

/// Over a connection.
async fn network_road() -> Road<Channel> {
    let probe = Probe::default();
    let world = World::with(|server| server.service(KindsServer::new(probe.clone()))).await;
    let caller = world.channel().await;
    Road { client: KindsClient::new(caller.clone()), caller, probe }
}

/// Over a Unix domain socket, and in real time: what the system carries does not wait for a clock that stands still.
#[cfg(unix)]
async fn unix_road() -> Road<Channel> {
    let probe = Probe::default();
    let folder = crate::unix::Folder::new();
    let server = Server::builder().service(KindsServer::new(probe.clone()));
    let server = server.bind(folder.path().join("kinds.sock")).await.unwrap();
    let address = server.address().clone();
    tokio::spawn(async move {
        server.serve().await;
        drop(folder);
    });
    let caller = Channel::connect(address).await.unwrap();
    Road { client: KindsClient::new(caller.clone()), caller, probe }
}

/// Over QUIC, in real time for the same reason.
async fn quic_road() -> Road<Channel> {
    let probe = Probe::default();
    let realm = crate::quic::Realm::new();
    let server = Server::builder().service(KindsServer::new(probe.clone()));
    let server = server.transport(realm.server()).bind("127.0.0.1:0").await.unwrap();
    let address = server.address().clone();
    tokio::spawn(server.serve());
    let caller =
        Channel::builder(address).transport(realm.client("spiffe://prod/x")).connect().await.unwrap();
    Road { client: KindsClient::new(caller.clone()), caller, probe }
}

/// Over a cluster of a client and one worker.
async fn cluster_road() -> Road<ResilientClient> {
    let probe = Probe::default();
    let cluster = TestCluster::new(7);
    let director = cluster.node("director").start().await;
    let service = KindsServer::new(probe.clone());
    let worker = cluster.node("worker").tag("role", "worker").serve(|server| server.service(service));
    let worker = worker.start().await;
    cluster.converged().await;
    let caller = ResilientClient::new(director.registry()).select("role=worker");
    tokio::spawn(async move {
        let _alive = (cluster, director, worker);
        std::future::pending::<()>().await;
    });
    Road { client: KindsClient::new(caller.clone()), caller, probe }
}

/// A stream fed by the test.
fn fed<T: Send + 'static>() -> (StreamSender<T>, Streaming<T>) {
    Streaming::channel(1)
}

/// Runs claims over one road.
macro_rules! over {
    ($name:ident, $road:ident, $clock:tt: $($claim:ident)*) => {
        mod $name {
            $(
                #[tokio::test $clock]
                async fn $claim() {
                    super::$claim(crate::kinds::$road().await).await;
                }
            )*
        }
    };
}
use over;

/// Runs each claim over every road a call can take; those that are about time only where it is virtual.
macro_rules! over_every_road {
    ($($claim:ident)* [about time] $($timed:ident)*) => {
        crate::kinds::over!(local, local_road, (start_paused = true): $($claim)* $($timed)*);
        crate::kinds::over!(network, network_road, (start_paused = true): $($claim)* $($timed)*);
        crate::kinds::over!(cluster, cluster_road, (start_paused = true): $($claim)* $($timed)*);
        crate::kinds::over!(quic, quic_road, (): $($claim)*);
        #[cfg(unix)]
        crate::kinds::over!(unix, unix_road, (): $($claim)*);
    };
}
use over_every_road;
