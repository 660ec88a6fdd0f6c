//! One loop: feed one input, drain the outputs, arm the timer, wait.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rpcnet::Server;
use rpcnet::transport::{BoxFuture, Transport};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, Sleep};

use super::ClusterMembership;
use super::counters::{Counting, count};
use super::gate::Gate;
use super::handle::{Command, Inner, Reconcile};
use super::log::log;
use super::lookups::{Lookups, Resolved, System};
use super::published::Published;
use super::sealed::GatedTransport;
use super::seeds::Seeds;
use super::socket::DatagramSocket;
use super::state::Keeper;
use super::streams::{self, Request};
use crate::membership::{ClusterEvent, Membership, Output, StreamFailure, StreamId, Unreadable};
use crate::metrics::HealthyNodes;

/// Commands that wait for the driver; callers beyond it wait themselves, hints are dropped.
const COMMANDS_WAITING_MAX: usize = 256;
/// Inputs handled in a row while the timer is due: more than a socket's buffer holds after a stall, so that all waiting
/// evidence is read before anybody is judged; and an end, so that a flood cannot stop the clock.
const INPUTS_BEFORE_TIMER_MAX: u32 = 4_096;
/// Pause after a failed receive: an error that persists must not become a busy loop.
const RECEIVE_ERROR_PAUSE: Duration = Duration::from_millis(50);
/// How long to sleep when there is nothing to do: an hour is as good as for ever.
const IDLE: Duration = Duration::from_secs(3_600);

/// What the driver speaks and listens through.
pub(super) struct Sockets {
    pub(super) datagrams: Arc<dyn DatagramSocket>,
    pub(super) server: Server,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) gate: Gate,
    /// What carries the streams, through the gate.
    pub(super) streams: GatedTransport,
    /// What carries calls.
    pub(super) transport: Arc<dyn Transport>,
    pub(super) counting: Arc<Counting>,
    /// What the application does when the sides of a split have found each other.
    pub(super) reconcile: Option<Reconcile>,
}

type Receiving = BoxFuture<'static, std::io::Result<(Vec<u8>, SocketAddr)>>;

/// The task of one node.
pub(super) struct Driver {
    membership: Membership,
    commands: mpsc::Receiver<Command>,
    datagrams: Arc<dyn DatagramSocket>,
    receiving: Receiving,
    unreachable: BoxFuture<'static, SocketAddr>,
    requests: mpsc::Receiver<Request>,
    gate: Gate,
    streams: GatedTransport,
    /// Requests of ours and resolutions of names; ended with the driver.
    work: JoinSet<Work>,
    timer: Pin<Box<Sleep>>,
    inputs_since_timer: u32,
    seeds: Seeds,
    lookups: Lookups,
    /// The file that outlives this process, if there is one.
    keeper: Option<Keeper>,
    published: Arc<Published>,
    counting: Arc<Counting>,
    reconcile: Option<Reconcile>,
    joined: watch::Sender<bool>,
    healthy: HealthyNodes,
    /// Another node was met, and nobody has been told yet.
    met: bool,
    leaving: Vec<oneshot::Sender<()>>,
    departed: bool,
    server: AbortHandle,
}

/// Something that was done beside the loop.
enum Work {
    Reply(StreamId, Result<Vec<u8>, StreamFailure>),
    Resolved(Resolved),
    StateWritten(std::io::Result<()>),
    Reconciled,
}

/// One thing that happened.
enum Input {
    Command(Option<Command>),
    Datagram(std::io::Result<(Vec<u8>, SocketAddr)>),
    Unreachable(SocketAddr),
    Request(Request),
    Work(Work),
    Timer,
}

impl Driver {
    /// Starts a node's tasks and gives its handle.
    pub(super) fn start(
        addr: SocketAddr,
        membership: Membership,
        sockets: Sockets,
        seeds: Seeds,
        keeper: Option<Keeper>,
    ) -> ClusterMembership {
        let id = membership.local_id();
        let (commands, received) = mpsc::channel(COMMANDS_WAITING_MAX);
        let (joined, is_joined) = watch::channel(seeds.is_empty());
        let published = Arc::new(Published::new());
        let counting = sockets.counting;
        let server = tokio::spawn(sockets.server.serve()).abort_handle();
        let mut driver = Self {
            membership,
            commands: received,
            receiving: Arc::clone(&sockets.datagrams).receive(),
            unreachable: Arc::clone(&sockets.datagrams).unreachable(),
            datagrams: sockets.datagrams,
            requests: sockets.requests,
            gate: sockets.gate,
            streams: sockets.streams,
            work: JoinSet::new(),
            timer: Box::pin(tokio::time::sleep(IDLE)),
            inputs_since_timer: 0,
            seeds,
            lookups: Lookups::new(Arc::new(System)),
            keeper,
            healthy: HealthyNodes::default(),
            published: Arc::clone(&published),
            counting: Arc::clone(&counting),
            reconcile: sockets.reconcile,
            joined,
            met: false,
            leaving: Vec::new(),
            departed: false,
            server,
        };
        // Before the handle exists, so that whoever has it sees at least this node.
        driver.membership.join(now(), &driver.seeds.addrs());
        driver.drain();
        driver.seeds.is_own(addr);
        driver.note_own_seeds();
        tokio::spawn(driver.run());
        let transport = sockets.transport;
        ClusterMembership {
            inner: Arc::new(Inner { id, addr, commands, published, counting, joined: is_joined, transport }),
        }
    }

    async fn run(mut self) {
        while !self.departed {
            self.resolve_if_due();
            self.arm();
            let input = self.next_input().await;
            self.inputs_since_timer += 1;
            match input {
                Input::Command(None) => return,
                Input::Command(Some(command)) => self.handle_command(command),
                Input::Datagram(result) => self.handle_datagram(result),
                Input::Unreachable(addr) => self.handle_unreachable(addr),
                Input::Request(request) => self.handle_request(request),
                Input::Work(work) => self.handle_work(work),
                Input::Timer => {
                    self.inputs_since_timer = 0;
                    self.membership.handle_timeout(now());
                }
            }
            self.drain();
        }
    }

    /// The timer comes last: what waits to be read is read before anybody is judged by its absence.
    async fn next_input(&mut self) -> Input {
        if self.inputs_since_timer >= INPUTS_BEFORE_TIMER_MAX && self.timer.deadline() <= Instant::now() {
            return Input::Timer;
        }
        tokio::select! {
            biased;
            command = self.commands.recv() => Input::Command(command),
            Some(done) = self.work.join_next() => match done {
                Ok(work) => Input::Work(work),
                // A request that panicked is one without an answer; the state machine gives it up by itself.
                Err(_) => Input::Timer,
            },
            result = self.receiving.as_mut() => Input::Datagram(result),
            addr = self.unreachable.as_mut() => Input::Unreachable(addr),
            Some(request) = self.requests.recv() => Input::Request(request),
            () = self.timer.as_mut() => Input::Timer,
        }
    }

    fn arm(&mut self) {
        let protocol = self.membership.next_timeout().map(Instant::from_std);
        let next = [protocol, self.seeds.next_timeout()].into_iter().flatten().min();
        let next = next.unwrap_or_else(|| Instant::now() + IDLE);
        if self.timer.deadline() != next {
            self.timer.as_mut().reset(next);
        }
    }

    fn handle_datagram(&mut self, result: std::io::Result<(Vec<u8>, SocketAddr)>) {
        match result {
            Ok((bytes, from)) => {
                self.receiving = Arc::clone(&self.datagrams).receive();
                count(&self.counting.datagrams_received);
                let handled = self.gate.incoming(bytes).and_then(|bytes| {
                    self.membership.handle_datagram(now(), from, &bytes).map_err(Unreadable::from)
                });
                if let Err(why) = handled {
                    tracing::trace!(%from, %why, "a datagram was dropped");
                    self.counting.datagrams_unreadable.count(why);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a datagram could not be received");
                count(&self.counting.datagram_errors);
                let datagrams = Arc::clone(&self.datagrams);
                self.receiving = Box::pin(async move {
                    tokio::time::sleep(RECEIVE_ERROR_PAUSE).await;
                    datagrams.receive().await
                });
            }
        }
    }

    fn handle_unreachable(&mut self, addr: SocketAddr) {
        self.unreachable = Arc::clone(&self.datagrams).unreachable();
        count(&self.counting.ports_unreachable);
        self.membership.handle_unreachable(now(), addr);
    }

    fn handle_request(&mut self, request: Request) {
        let answer = self.membership.handle_stream_request(now(), &request.bytes);
        if let Err(malformed) = &answer {
            self.counting.streams_unreadable.count((*malformed).into());
        }
        // The asker may have gone.
        let _ = request.answer.send(answer);
    }

    fn handle_work(&mut self, work: Work) {
        match work {
            Work::Reply(id, result) => {
                if let Err(malformed) = self.membership.handle_stream_reply(now(), id, result) {
                    self.counting.streams_unreadable.count(malformed.into());
                }
            }
            Work::Resolved(resolved) => {
                self.seeds.resolved(resolved);
                self.membership.join(now(), &self.seeds.addrs());
                self.note_own_seeds();
            }
            Work::StateWritten(result) => {
                if let Some(keeper) = &mut self.keeper {
                    keeper.done(result);
                }
            }
            Work::Reconciled => self.membership.reconciled(now()),
        }
    }

    fn handle_command(&mut self, command: Command) {
        // Whoever asked may have stopped waiting for the answer.
        match command {
            Command::SetTag { key, value, done } => {
                let _ = done.send(self.membership.set_tag(now(), &key, &value));
            }
            Command::RemoveTag { key, done } => {
                let _ = done.send(self.membership.remove_tag(now(), &key));
            }
            Command::Members { answer } => {
                let _ = answer.send(self.membership.members(now()).collect());
            }
            Command::Leader { key, value, answer } => {
                let _ = answer.send(self.membership.leader(&key, value.as_deref()));
            }
            Command::CanReach { node, answer } => {
                let _ = answer.send(self.membership.can_reach(node));
            }
            Command::Resync => self.membership.resync(now()),
            Command::ReportFailure { node } => self.membership.report_failure(now(), node),
            Command::Leave { done } => {
                self.leaving.push(done);
                self.membership.leave(now());
            }
        }
    }

    fn resolve_if_due(&mut self) {
        for name in self.seeds.due() {
            let lookups = self.lookups.clone();
            self.work.spawn(async move { Work::Resolved(lookups.look_up(name).await) });
        }
    }

    fn remember(&mut self) {
        let generation = self.membership.local_generation();
        if let Some((file, state)) = self.keeper.as_mut().and_then(|keeper| keeper.due(generation)) {
            self.work.spawn_blocking(move || Work::StateWritten(file.write(state)));
        }
    }

    fn drain(&mut self) {
        self.counting.take_over(&self.membership);
        self.remember();
        // Before the events: whoever reads that a split is healed finds the quorum held.
        self.published.set_quorum(self.membership.quorum());
        while let Some(output) = self.membership.poll_output() {
            self.carry_out(output);
        }
        // Said last: whoever waits for it finds the others in the view.
        if std::mem::take(&mut self.met) {
            self.joined.send_replace(true);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { to, bytes } => {
                let sent = self.gate.outgoing(bytes).and_then(|bytes| self.datagrams.send(to, &bytes));
                if let Err(error) = sent {
                    tracing::debug!(%error, %to, "a datagram could not be sent");
                    count(&self.counting.datagram_errors);
                }
            }
            Output::Stream { id, to, bytes, timeout } => {
                let request = streams::request(self.streams.clone(), to, bytes, timeout);
                self.work.spawn(async move { Work::Reply(id, request.await) });
            }
            Output::Event(event) => self.publish(event),
            Output::Joined { seed } => {
                tracing::info!(seed = self.seeds.name(seed), "joined the cluster");
                self.met = true;
            }
            Output::SeedUnreachable { seed, failure, attempts, retry_in } => {
                self.warn_of(seed, failure, attempts, retry_in);
                self.seeds.unreachable(seed);
            }
            Output::SeedIsSelf { seed } => {
                self.seeds.is_own(seed);
                self.note_own_seeds();
            }
            Output::Departed => self.departed = true,
        }
    }

    /// A node that is its own only seed is the first of its cluster: there is nobody to wait for.
    fn note_own_seeds(&mut self) {
        if self.seeds.are_all_own() {
            self.joined.send_replace(true);
        }
    }

    /// Names the seed, often enough to be seen and seldom enough to be read.
    fn warn_of(&self, seed: SocketAddr, failure: StreamFailure, attempts: u32, retry_in: Duration) {
        let seed = self.seeds.name(seed);
        if attempts.is_power_of_two() {
            tracing::warn!(seed, %failure, attempts, ?retry_in, "the seed does not answer; the node goes on without it");
        } else {
            tracing::debug!(seed, %failure, attempts, ?retry_in, "the seed does not answer");
        }
    }

    fn publish(&mut self, event: ClusterEvent) {
        log(&event);
        self.healthy.note(&event);
        if let (ClusterEvent::ViewsMerged { rejoined, .. }, Some(reconcile)) = (&event, &self.reconcile) {
            let reconciling = reconcile(rejoined.clone());
            self.work.spawn(async move {
                // Apart, so that a panic ends the reconciliation and not the wait for it; ended with the driver.
                let mut task = JoinSet::new();
                task.spawn(reconciling);
                let _ = task.join_next().await;
                Work::Reconciled
            });
        }
        self.met |= matches!(&event, ClusterEvent::NodeJoined(node) if node.id != self.membership.local_id());
        self.published.publish(event);
    }
}

impl Drop for Driver {
    /// However the task ends: the server stops, readers learn that nothing more comes, and leavers are released.
    fn drop(&mut self) {
        self.server.abort();
        self.published.end();
        for done in self.leaving.drain(..) {
            let _ = done.send(());
        }
    }
}

/// The clock of the runtime, so that a test that pauses it pauses the protocol.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
