//! The lines to workers: one connection each, opened by the first call that needs it, shared by all.
//!
//! There is no table of connections. Each worker value of the registry holds the line to its process, and so does each call
//! under way; the connection closes when the last of them is gone. So the pool follows the registry by itself, and a
//! worker that leaves keeps its connection until its calls are done.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{Channel, ConnectError, Executed, Reason, Status, transport::Transport};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    breaker::{Breaker, Ticket, Verdict},
    glance::Glance,
};
use crate::{balance::Gauge, membership::NodeId, metrics, registry::Instance};

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
    pub(crate) fn line(&self, instance: Instance, label: &Arc<str>, addr: SocketAddr) -> Arc<Line> {
        let channel = Channel::builder(addr)
            .shared_transport(Arc::clone(&self.transport))
            .connect_timeout(Line::CONNECT_TIMEOUT)
            .lazy();
        let state = State::default();
        Arc::new(Line {
            instance,
            label: Arc::clone(label),
            addr,
            channel,
            gauge: Gauge::new(now()),
            glance: Glance::of(&state.breaker),
            state: Mutex::new(state),
            reports: self.reports.clone(),
        })
    }
}

/// What this process has to do with one process of a worker: the connection, the calls in flight and what they have shown,
/// and whether it can be reached.
#[derive(Debug)]
pub(crate) struct Line {
    instance: Instance,
    label: Arc<str>,
    addr: SocketAddr,
    channel: Channel,
    gauge: Gauge,
    state: Mutex<State>,
    /// What all calls want to know of the breaker, and few change.
    glance: Glance,
    reports: mpsc::Sender<NodeId>,
}

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    /// The result of the dial under way, for all that wait for it.
    dial: Option<watch::Receiver<Option<Dialled>>>,
    /// The last failure to open a connection.
    refused: Option<(Instant, ConnectError)>,
    /// When membership was last told of trouble.
    reported: Option<Instant>,
}

/// A dial under way. Whatever becomes of its task, the next call can dial again.
#[derive(Debug)]
struct Dialling {
    line: Arc<Line>,
    /// Whether the line knows the result, and may have begun the next dial already.
    done: bool,
}

impl Dialling {
    fn finish(mut self, dialled: &Dialled) {
        self.line.handle_dialled(dialled);
        self.done = true;
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        if !self.done {
            self.line.state.lock().dial = None;
        }
    }
}

/// What became of a dial.
type Dialled = Result<(), ConnectError>;

impl Line {
    /// How long opening a connection may take. Half a second is a handshake across the world and a lost packet; twice
    /// that, and still a tenth of the default deadline, so that a host that vanished costs a call little of its time.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// Membership is told of the same worker at most this often: it probes at once, and knows more by then.
    const REPORT_EVERY: Duration = Duration::from_secs(1);

    /// For so long the answer of a worker that is out stands for further ones: when nobody can be reached all calls go to
    /// everybody, and each would dial.
    const REFUSAL_STANDS: Duration = Duration::from_millis(100);

    /// The process at its other end.
    pub(crate) fn instance(&self) -> Instance {
        self.instance
    }

    pub(crate) fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Counts a call until the permit is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Permit {
        self.gauge.enter();
        Permit { line: Arc::clone(self) }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.gauge.in_flight()
    }

    /// What calls have shown of the worker's load.
    pub(crate) fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// Whether the worker may be picked, as far as this process could reach it.
    pub(crate) fn admits(&self) -> bool {
        self.state.lock().breaker.admits(now())
    }

    /// Whether it may not be picked, and whether that is because no connection could be opened.
    pub(crate) fn ejected(&self, now: std::time::Instant) -> (bool, bool) {
        if self.glance.closed().is_some() {
            return (false, false);
        }
        let state = self.state.lock();
        (!state.breaker.admits(now), state.breaker.is_refused(now))
    }

    /// Whether it may not be picked because calls to it fail.
    pub(crate) fn is_failing(&self) -> bool {
        self.state.lock().breaker.is_failing(now())
    }

    /// The worker was picked for an attempt that ends by `deadline`.
    pub(crate) fn handle_picked(&self, now: Instant, deadline: Instant) -> Ticket {
        if let Some(ticket) = self.glance.closed() {
            return ticket;
        }
        let now = now.into_std();
        let picked = |breaker: &mut Breaker| {
            breaker.handle_picked(now, now + Self::CONNECT_TIMEOUT, deadline.into_std())
        };
        self.tell(&mut self.state.lock(), picked)
    }

    /// An attempt has ended that [`handle_picked`](Self::handle_picked) gave this ticket to.
    pub(crate) fn handle_ended(&self, now: std::time::Instant, ticket: Ticket, verdict: Verdict) {
        let mut state = self.state.lock();
        let before = state.breaker.is_failing(now);
        self.tell(&mut state, |breaker| breaker.handle_ended(now, ticket, verdict, fastrand::f64()));
        if !before && state.breaker.is_failing(now) {
            metrics::circuit_opened();
            tracing::info!(worker = ?self.instance.id, addr = %self.addr, "worker ejected: its calls fail");
        }
    }

    /// The connection broke under a call. One call finds out whether the worker can be reached again; the others go
    /// elsewhere meanwhile.
    pub(crate) fn handle_lost(&self) {
        let mut state = self.state.lock();
        // Another call may have opened the next connection already, or this one is among many that were on the old one.
        if !self.channel.is_connected() {
            self.tell(&mut state, |breaker| breaker.handle_lost(now(), fastrand::f64()));
        }
        self.report(&mut state);
    }

    /// Whether the connection is open at this moment.
    pub(crate) fn is_ready(&self) -> bool {
        let connected = self.channel.is_connected();
        if connected && self.glance.closed().is_none() {
            // Usually known. A channel whose connection broke at the last moment opens the next one by itself.
            self.tell(&mut self.state.lock(), Breaker::handle_connected);
        }
        connected
    }

    /// Waits until the connection is open, which it is for all but the first call. All calls that wait for it wait for
    /// the same dial, which goes on when a caller gives up.
    pub(crate) async fn ready(self: &Arc<Self>, by: Instant) -> Result<(), Status> {
        if self.is_ready() {
            return Ok(());
        }
        let mut dial = self.dial()?;
        match tokio::time::timeout_at(by, dial.wait_for(Option::is_some)).await {
            Ok(Ok(dialled)) => dialled.clone().unwrap_or(Ok(())).map_err(Status::from),
            Ok(Err(_)) => Err(self.unreachable("the task that was opening the connection has ended")),
            Err(_) => Err(self.unreachable("the connection was not open in time")),
        }
    }

    fn unreachable(&self, why: &str) -> Status {
        Status::new(Reason::ConnectFailed, Executed::No, format!("cannot connect to {}: {why}", self.addr))
    }

    /// The dial under way, or a new one; or what came of the last one, if that was a moment ago.
    fn dial(self: &Arc<Self>) -> Result<watch::Receiver<Option<Dialled>>, ConnectError> {
        let mut state = self.state.lock();
        if let Some(dial) = &state.dial {
            return Ok(dial.clone());
        }
        if let Some(error) = state.still_refused() {
            return Err(error);
        }
        let (done, dial) = watch::channel(None);
        state.dial = Some(dial.clone());
        drop(state);
        let dialling = Dialling { line: Arc::clone(self), done: false };
        tokio::spawn(async move {
            let dialled = dialling.line.channel.ready().await;
            dialling.finish(&dialled);
            done.send_replace(Some(dialled));
        });
        Ok(dial)
    }

    fn handle_dialled(&self, dialled: &Dialled) {
        let mut state = self.state.lock();
        state.dial = None;
        match dialled {
            Ok(()) => self.tell(&mut state, Breaker::handle_connected),
            Err(error) => {
                tracing::debug!(worker = ?self.instance.id, addr = %self.addr, %error, "worker ejected: cannot be reached");
                if !state.breaker.is_refused(now()) {
                    metrics::circuit_opened();
                }
                self.tell(&mut state, |breaker| breaker.handle_refused(now(), fastrand::f64()));
                state.refused = Some((Instant::now(), error.clone()));
                self.report(&mut state);
            }
        }
    }

    /// Tells the breaker something, and operators if that changed it.
    fn tell<T>(&self, state: &mut State, what: impl FnOnce(&mut Breaker) -> T) -> T {
        let before = state.breaker.circuit();
        let said = what(&mut state.breaker);
        let after = state.breaker.circuit();
        self.glance.set(&state.breaker);
        if before != after {
            metrics::circuit_changed(&self.label, self.addr, after);
        }
        said
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

impl State {
    /// Why there is no use in another dial yet. A trial dials in any case: that is what it is for.
    fn still_refused(&self) -> Option<ConnectError> {
        let (refused, error) = self.refused.as_ref()?;
        let stands = refused.elapsed() < Line::REFUSAL_STANDS && self.breaker.is_out(now());
        stands.then(|| error.clone())
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
        self.line.gauge.leave();
    }
}

/// The name of a worker in errors and logs: label and address.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.label.is_empty() {
            write!(f, "{:?} at {}", self.instance.id, self.addr)
        } else {
            write!(f, "{} at {}", self.label, self.addr)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{dialler, instance};

    #[tokio::test(start_paused = true)]
    async fn a_dial_whose_task_ended_without_a_result_makes_room_for_the_next() {
        let line = dialler().line(instance(1, 1), &"".into(), SocketAddr::from(([10, 0, 0, 1], 80)));
        let (done, dial) = watch::channel(None);
        line.state.lock().dial = Some(dial);
        drop((Dialling { line: Arc::clone(&line), done: false }, done));
        let error = line.ready(Instant::now() + Duration::from_secs(1)).await.expect_err("nobody listens");
        assert!(error.message().contains("nobody listens"), "{error}");
    }
}
