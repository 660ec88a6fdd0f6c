//! The process that takes calls and has workers answer them.
//!
//! It keeps nothing between two calls, so any number of directors could stand side by side.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;
use rpcnet::{AppError, Server};
use rpcnet_cluster::{
    ClusterEvent, ClusterMembership, LoadBalancing, MemberView, ResilientClient, WorkerRegistry,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    child::Ready,
    watch::{Event, Kill, Report, Row, Watch, WatchServer, What},
    work::{Answer, Work, WorkClient, WorkError, WorkServer},
};

/// Serves [`Work`] and [`Watch`] and is a member of the cluster, until the process ends.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    // Bound first, so that its address can be announced; its services come when the cluster they call is there.
    let mut server = Server::builder().bind("127.0.0.1:0").await?;
    let cluster = ClusterMembership::builder()
        .bind("127.0.0.1:0")
        .label("director")
        .tag("role", "director")
        .advertise(server.local_addr())
        .join()
        .await?;
    let gossip = cluster.local_addr();
    let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
    let workers = WorkClient::new(ResilientClient::new(registry.clone()).select("role=worker"));
    let watched = Watched { cluster, registry, diary: Arc::new(Diary::new()) };
    tokio::spawn(keep(Arc::clone(&watched.diary), watched.registry.clone()));
    server.service(WorkServer::new(Director { workers }))?;
    server.service(WatchServer::new(watched))?;
    Ready { rpc: server.local_addr(), gossip }.tell()?;
    server.serve().await;
    Ok(())
}

/// Has the work done.
struct Director {
    workers: WorkClient<ResilientClient>,
}

impl Work for Director {
    /// All that can happen to a worker is dealt with behind this one call: it is made within what is left of the caller's
    /// own deadline, and given up when the caller gives up.
    async fn pack(&self, piece: Bytes) -> Result<Answer, WorkError> {
        Ok(self.workers.pack(piece).await?)
    }
}

/// What the director can tell of itself.
struct Watched {
    cluster: ClusterMembership,
    registry: WorkerRegistry,
    diary: Arc<Diary>,
}

impl Watch for Watched {
    async fn report(&self, from_event: u32) -> rpcnet::Result<Report> {
        let mut rows = BTreeMap::new();
        // A worker that was started again is another process: the one that started last is shown.
        let mut members = self.cluster.members().await;
        members.sort_by_key(|member| member.node.generation);
        for member in members.iter().filter(|member| member.node.tag("role") == Some("worker")) {
            rows.insert(member.node.label.to_string(), self.row(member));
        }
        let events = self.diary.from(from_event);
        Ok(Report { at: self.diary.now(), rows: rows.into_values().collect(), events })
    }

    async fn kill(&self, label: String, pid: i32) -> rpcnet::Result<Kill> {
        let worker = self.registry.workers().into_iter().find(|worker| *worker.label == *label);
        let worker = worker.ok_or_else(|| AppError::msg(format_args!("there is no worker {label}")))?;
        let pid = Pid::from_raw(pid).ok_or_else(|| AppError::msg("0 is no process"))?;
        let asked = Instant::now();
        // More than one at first, so that there is one left if an answer arrives between the look and the signal.
        while worker.active_connections() < if asked.elapsed() < Self::PICKY_FOR { 2 } else { 1 } {
            if asked.elapsed() > Self::BUSY_WITHIN {
                return Err(AppError::msg(format_args!("{label} was never busy in {:?}", Self::BUSY_WITHIN)));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Before the signal: its connections are reset within microseconds, and its calls are elsewhere by the next look.
        let in_flight = worker.active_connections();
        kill_process(pid, Signal::KILL)?;
        Ok(Kill { at: self.diary.now(), in_flight })
    }
}

impl Watched {
    /// How long a kill waits for its victim to have more than one call in flight, which is rare where calls take long.
    const PICKY_FOR: Duration = Duration::from_millis(200);
    /// How long a kill waits for its victim to be busy: at half load it is every few milliseconds.
    const BUSY_WITHIN: Duration = Duration::from_secs(2);

    fn row(&self, member: &MemberView) -> Row {
        let workers = self.registry.workers();
        let worker = workers.iter().find(|worker| worker.id == member.node.id);
        Row {
            label: member.node.label.to_string(),
            state: format!("{:?}", member.state).to_lowercase(),
            phi: member.phi,
            in_flight: worker.map_or(0, rpcnet_cluster::Worker::active_connections),
        }
    }
}

/// What happened in the cluster, and when.
#[derive(Debug)]
struct Diary {
    start: Instant,
    events: Mutex<Vec<Event>>,
}

impl Diary {
    /// How many events are kept: a hundred times what a run has. Later ones are not.
    const EVENTS_MAX: usize = 1000;

    fn new() -> Self {
        Self { start: Instant::now(), events: Mutex::default() }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn write(&self, label: &str, what: What) {
        let mut events = self.events.lock();
        if events.len() < Self::EVENTS_MAX {
            events.push(Event { at: self.now(), label: label.to_owned(), what });
        }
    }

    fn from(&self, first: u32) -> Vec<Event> {
        self.events.lock().iter().skip(first as usize).cloned().collect()
    }
}

/// Writes down what happens to the members of the cluster, for as long as there is one.
async fn keep(diary: Arc<Diary>, registry: WorkerRegistry) {
    let mut events = registry.subscribe();
    while let Some(event) = events.recv().await {
        match event {
            ClusterEvent::NodeJoined(node) => diary.write(&node.label, What::Joined),
            ClusterEvent::NodeLeft(node) => diary.write(&node.label, What::Left),
            ClusterEvent::NodeSuspected { node, phi } => diary.write(&node.label, What::Suspected { phi }),
            ClusterEvent::NodeFailed(node) => diary.write(&node.label, What::Failed),
            ClusterEvent::NodeRecovered(node) => diary.write(&node.label, What::Recovered),
            _ => {}
        }
    }
}
