//! A machine and the process on it.

use std::time::Duration;

use super::schedule::What;

/// Datagrams and requests that wait for a stopped process; beyond, the socket's buffer is full and they are lost.
pub(crate) const WAITING_MAX: usize = 4_096;

/// One node's host.
pub(crate) struct Host<C> {
    pub(crate) core: C,
    pub(crate) addr: u32,
    pub(crate) state: State,
    /// Which start of the process this is, from 1.
    pub(crate) start: u32,
    pub(crate) armed: Option<Duration>,
    /// How often the timer ran at one moment.
    pub(crate) timers: (Duration, u32),
    /// What arrived while the process was stopped.
    pub(crate) waiting: Vec<What>,
    /// Since when the process runs without having been stopped.
    pub(crate) awake_since: Duration,
    /// Until when something is, or may still be, wrong with this node: what others say of it is then no false alarm.
    pub(crate) faulty_until: Duration,
    /// What it last said of its quorum.
    pub(crate) quorum: Option<(bool, usize, usize)>,
    pub(crate) sent_bytes: u64,
    /// Of it, up to the last full second.
    pub(crate) sent_before: u64,
}

/// How a host and its process are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    /// The process has stopped; its host takes in what comes.
    Stalled,
    /// The process is gone, its host refuses connections.
    Gone,
    /// The host is silent.
    Dark,
}

impl<C> Host<C> {
    pub(crate) fn new(core: C, addr: u32, start: u32) -> Self {
        Self {
            core,
            addr,
            state: State::Running,
            start,
            armed: None,
            timers: (Duration::ZERO, 0),
            waiting: Vec::new(),
            awake_since: Duration::ZERO,
            faulty_until: Duration::ZERO,
            quorum: None,
            sent_bytes: 0,
            sent_before: 0,
        }
    }

    /// There is a process, running or stopped.
    pub(crate) fn lives(&self) -> bool {
        matches!(self.state, State::Running | State::Stalled)
    }
}
