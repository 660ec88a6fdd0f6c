//! One of a channel's connections: open, being opened, or to be opened by the next call.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::{
    super::{
        connect::{ConnectError, Connector},
        connection::Handle,
    },
    redial::Redial,
};

/// A connection that is opened when it is needed, and again when it was lost.
#[derive(Debug)]
pub(super) struct Line {
    connector: Connector,
    current: Mutex<Option<Handle>>,
    dialling: Mutex<Dialling>,
}

#[derive(Debug, Default)]
struct Dialling {
    /// The dial under way.
    under_way: Option<watch::Receiver<Option<Dialled>>>,
    redial: Redial,
    /// Why the last one failed.
    last: Option<ConnectError>,
}

/// What became of a dial.
type Dialled = Result<Handle, ConnectError>;

impl Line {
    pub(super) fn new(connector: Connector) -> Arc<Self> {
        Arc::new(Self { connector, current: Mutex::default(), dialling: Mutex::default() })
    }

    /// The connection, whatever its state.
    pub(super) fn current(&self) -> Option<Handle> {
        self.current.lock().clone()
    }

    /// The connection, if it takes calls; one that does not is let go, and ends with its last call.
    pub(super) fn open_connection(&self) -> Option<Handle> {
        let mut current = self.current.lock();
        if current.as_ref().is_some_and(|connection| !connection.is_open()) {
            *current = None;
        }
        current.clone()
    }

    /// Ends the connection at once.
    pub(super) fn disconnect(&self) {
        let current = self.current.lock().take();
        if let Some(connection) = current {
            connection.shut_down();
        }
    }

    /// The connection, opened now if it is not open.
    pub(super) async fn connect(self: &Arc<Self>) -> Dialled {
        if let Some(connection) = self.open_connection() {
            return Ok(connection);
        }
        let mut dial = self.dial();
        match dial.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(dialled)) => dialled.clone(),
            // The dial's task was ended with its runtime, or a transport panicked in it.
            Ok(None) | Err(_) => Err(self.connector.abandoned()),
        }
    }

    /// The connection for a call: a server that was not reached a moment ago is not tried again yet.
    pub(super) async fn connect_for_a_call(self: &Arc<Self>) -> Dialled {
        if let Some(connection) = self.open_connection() {
            return Ok(connection);
        }
        match self.barred() {
            Some((_, error)) => Err(error),
            None => self.connect().await,
        }
    }

    /// The connection for a call that waits until there is one.
    pub(super) async fn connect_patiently(self: &Arc<Self>) -> Handle {
        loop {
            if let Some((until, _)) = self.barred() {
                tokio::time::sleep_until(until).await;
            }
            if let Ok(connection) = self.connect().await {
                return connection;
            }
        }
    }

    /// Why the last dial failed, if it did.
    pub(super) fn last_error(&self) -> Option<ConnectError> {
        self.dialling.lock().last.clone()
    }

    /// Until when no call may dial, and why.
    fn barred(&self) -> Option<(Instant, ConnectError)> {
        let dialling = self.dialling.lock();
        let until = dialling.redial.wait(Instant::now().into_std())?;
        Some((Instant::from_std(until), dialling.last.clone()?))
    }

    /// The dial under way, or a new one: all who wait for a connection wait for the same, and it goes on when one of them
    /// gives up.
    fn dial(self: &Arc<Self>) -> watch::Receiver<Option<Dialled>> {
        let mut dialling = self.dialling.lock();
        let under_way = dialling.under_way.as_ref();
        if let Some(dial) = under_way.filter(|dial| dial.has_changed().is_ok() && dial.borrow().is_none()) {
            return dial.clone();
        }
        let (done, dial) = watch::channel(None);
        dialling.under_way = Some(dial.clone());
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let dialled = line.connector.connect().await;
            line.dialled(&dialled);
            done.send_replace(Some(dialled));
        });
        dial
    }

    fn dialled(&self, dialled: &Dialled) {
        if let Ok(connection) = dialled {
            *self.current.lock() = Some(connection.clone());
        }
        let mut dialling = self.dialling.lock();
        dialling.under_way = None;
        dialling.last = dialled.as_ref().err().cloned();
        match dialled {
            Ok(_) => dialling.redial.handle_success(),
            Err(_) => dialling.redial.handle_failure(Instant::now().into_std(), fastrand::f64()),
        }
    }
}
