//! The lines to workers: one connection each, opened by the first call that needs it, shared by all.
//!
//! There is no table of connections. Each worker value of the registry holds the line to its process, and so does each call
//! under way; the connection closes when the last of them is gone. So the pool follows the registry by itself, and a
//! worker that leaves keeps its connection until its calls are done.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rpcnet::{Channel, ConnectError, Executed, Reason, Status, transport::Transport};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::ejection::Ejection;
use crate::{membership::NodeId, registry::Instance};

/// Makes lines: knows the way the bytes travel and whom to tell of workers that cannot be reached.
#[derive(Debug, Clone)]
pub(crate) struct Dialler {
    transport: Arc<dyn Transport>,
    reports: mpsc::Sender<NodeId>,
}

impl Dialler {
    pub(crate) fn new(transport: Arc<dyn Transport>, reports: mpsc::Sender<NodeId>) -> Self {
        Self { transport, reports }
    }

    /// A line to one process. Nothing is opened yet.
    pub(crate) fn line(&self, instance: Instance, addr: SocketAddr) -> Arc<Line> {
        let channel = Channel::builder(addr)
            .shared_transport(Arc::clone(&self.transport))
            .connect_timeout(Line::CONNECT_TIMEOUT)
            .lazy();
        Arc::new(Line {
            instance,
            addr,
            channel,
            in_flight: AtomicU32::new(0),
            state: Mutex::new(State::default()),
            reports: self.reports.clone(),
        })
    }
}

/// What this process has to do with one process of a worker: the connection, the calls in flight, and whether it can be
/// reached.
#[derive(Debug)]
pub(crate) struct Line {
    instance: Instance,
    addr: SocketAddr,
    channel: Channel,
    in_flight: AtomicU32,
    state: Mutex<State>,
    reports: mpsc::Sender<NodeId>,
}

#[derive(Debug, Default)]
struct State {
    ejection: Ejection,
    /// The result of the dial under way, for all that wait for it.
    dial: Option<watch::Receiver<Option<Dialled>>>,
    /// When membership was last told of trouble.
    reported: Option<Instant>,
}

/// What became of a dial.
type Dialled = Result<(), ConnectError>;

impl Line {
    /// How long opening a connection may take. Half a second is a handshake across the world and a lost packet; twice
    /// that, and still a tenth of the default deadline, so that a host that vanished costs a call little of its time.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// Membership is told of the same worker at most this often: it probes at once, and knows more by then.
    const REPORT_EVERY: Duration = Duration::from_secs(1);

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Counts a call until the permit is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Permit {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Permit { line: Arc::clone(self) }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether the worker may be picked, as far as this process could reach it.
    pub(crate) fn admits(&self) -> bool {
        self.state.lock().ejection.admits(now())
    }

    /// The worker was picked for a call.
    pub(crate) fn handle_picked(&self) {
        let now = now();
        self.state.lock().ejection.handle_picked(now, now + Self::CONNECT_TIMEOUT);
    }

    /// The connection broke under a call. One call finds out whether the worker can be reached again; the others go
    /// elsewhere meanwhile.
    pub(crate) fn handle_lost(&self) {
        let mut state = self.state.lock();
        // Another call may have opened the next connection already, or this one is among many that were on the old one.
        if !self.channel.is_connected() {
            state.ejection.handle_lost(now());
        }
        self.report(&mut state);
    }

    /// Waits until the connection is open, which it is for all but the first call. All calls that wait for it wait for
    /// the same dial, which goes on when a caller gives up.
    pub(crate) async fn ready(self: &Arc<Self>, by: Instant) -> Result<(), Status> {
        if self.channel.is_connected() {
            // Usually known. A channel whose connection broke at the last moment opens the next one by itself.
            self.state.lock().ejection.handle_connected();
            return Ok(());
        }
        let mut dial = self.dial();
        match tokio::time::timeout_at(by, dial.wait_for(Option::is_some)).await {
            Ok(Ok(dialled)) => dialled.clone().unwrap_or(Ok(())).map_err(Status::from),
            Ok(Err(_)) => Err(self.unreachable("the runtime is shutting down")),
            Err(_) => Err(self.unreachable("the connection was not open in time")),
        }
    }

    fn unreachable(&self, why: &str) -> Status {
        Status::new(Reason::ConnectFailed, Executed::No, format!("cannot connect to {}: {why}", self.addr))
    }

    /// The dial under way, or a new one.
    fn dial(self: &Arc<Self>) -> watch::Receiver<Option<Dialled>> {
        let mut state = self.state.lock();
        if let Some(dial) = &state.dial {
            return dial.clone();
        }
        let (done, dial) = watch::channel(None);
        state.dial = Some(dial.clone());
        drop(state);
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let dialled = line.channel.ready().await;
            line.handle_dialled(&dialled);
            done.send_replace(Some(dialled));
        });
        dial
    }

    fn handle_dialled(&self, dialled: &Dialled) {
        let mut state = self.state.lock();
        state.dial = None;
        match dialled {
            Ok(()) => state.ejection.handle_connected(),
            Err(error) => {
                tracing::debug!(worker = ?self.instance.id, addr = %self.addr, %error, "worker ejected: cannot be reached");
                state.ejection.handle_refused(now(), fastrand::f64());
                self.report(&mut state);
            }
        }
    }

    fn report(&self, state: &mut State) {
        let now = Instant::now();
        if state.reported.is_some_and(|reported| now < reported + Self::REPORT_EVERY) {
            return;
        }
        state.reported = Some(now);
        // Full when the registry is busy, closed when it is gone: membership finds out by its own probes.
        let _ = self.reports.try_send(self.instance.id);
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// A call in flight on a line, counted until it is dropped. Holds the line, and so its connection, open.
#[derive(Debug)]
pub(crate) struct Permit {
    line: Arc<Line>,
}

impl Permit {
    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.line.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
