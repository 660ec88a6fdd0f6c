//! The attacks.

mod calls;
mod connections;
mod control;
mod lengths;
mod streams;

use std::{future::Future, io, net::SocketAddr, pin::Pin, time::Duration};

use rpcnet::Limits;
use tokio::{runtime::Builder, time::Instant};

use crate::raw::{Answers, Done};

/// Whom, until when, and what came back.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) until: Instant,
    pub(crate) answers: Answers,
}

impl Target {
    pub(crate) fn new(addr: SocketAddr, time: Duration, answers: &Answers) -> Self {
        Self { addr, until: Instant::now() + time, answers: answers.clone() }
    }
}

/// By how much the server's memory may grow, and why so much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) bytes: usize,
    pub(crate) why: &'static str,
}

/// What may be allocated whatever is attacked: threads' arenas, a few buffers of a connection (256 KiB to read into, 512 KiB to
/// write from), and what the allocator keeps for itself.
const ALLOWANCE: usize = 24 << 20;

/// What an attack does until the time is over: it says how much that was.
type Run = fn(Target) -> Pin<Box<dyn Future<Output = io::Result<Done>>>>;

/// An attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What its numbers count.
    pub(crate) unit: &'static str,
    pub(crate) bound: Bound,
    /// How many files the server may have open, where that is part of it.
    pub(crate) files_max: Option<u64>,
    /// The least time for it to show, where it is a slow one.
    pub(crate) at_least: Option<Duration>,
    run: Run,
}

/// Makes an attack of an `async fn`.
macro_rules! attack {
    ($name:literal, $unit:literal, $run:path) => {
        $crate::attacks::Attack::new($name, $unit, |target| Box::pin($run(target)))
    };
}
use attack;

impl Attack {
    fn new(name: &'static str, unit: &'static str, run: Run) -> Self {
        let bound = Bound { bytes: ALLOWANCE, why: "nothing is kept" };
        Self { name, unit, bound, files_max: None, at_least: None, run }
    }

    /// What the server may keep while it lasts.
    fn may_cost(mut self, bytes: usize, why: &'static str) -> Self {
        self.bound = Bound { bytes: bytes + ALLOWANCE, why };
        self
    }

    fn on_a_server_with_files(self, max: u64) -> Self {
        Self { files_max: Some(max), ..self }
    }

    fn for_at_least(self, time: Duration) -> Self {
        Self { at_least: Some(time), ..self }
    }

    /// Attacks, in the thread that calls what this gives.
    pub(crate) fn on(&self, target: Target) -> impl FnOnce() -> io::Result<Done> + Send + use<> {
        let run = self.run;
        move || Builder::new_current_thread().enable_all().build()?.block_on(run(target))
    }
}

/// The server's limits, which are the defaults.
fn limits() -> Limits {
    Limits::default()
}

/// All there are.
pub(crate) fn all() -> Vec<Attack> {
    [calls::all(), connections::all(), lengths::all(), streams::all(), control::all()]
        .into_iter()
        .flatten()
        .collect()
}
