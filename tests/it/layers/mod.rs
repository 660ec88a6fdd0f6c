//! Layers of tower and of ours, around clients and servers: what they hold back, and what the caller is told.

mod auth;
mod client;
mod server;
mod streams;
mod trace;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use rpcnet::{Streamed, layer::ServerCall, prelude::*};
use tower::{Layer, Service};

use crate::world::{BenchClient, World};

/// What a call left behind: its reason, and whether it ran.
fn said<T: std::fmt::Debug, E: std::fmt::Debug>(
    result: Result<T, CallError<E>>,
) -> (Option<rpcnet::Reason>, Executed) {
    let error = result.expect_err("it is to fail");
    (error.reason(), error.executed())
}

/// A layer of a user's own, for a server: does something with each call before it goes on.
#[derive(Clone)]
struct Before<F>(F);

#[derive(Clone)]
struct BeforeService<F, S>(F, S);

impl<F: Clone, S> Layer<S> for Before<F> {
    type Service = BeforeService<F, S>;

    fn layer(&self, inner: S) -> Self::Service {
        BeforeService(self.0.clone(), inner)
    }
}

impl<F, S> Service<ServerCall> for BeforeService<F, S>
where
    F: Fn(&ServerCall),
    S: Service<ServerCall, Response = Streamed>,
{
    type Response = Streamed;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.1.poll_ready(cx)
    }

    fn call(&mut self, call: ServerCall) -> S::Future {
        (self.0)(&call);
        self.1.call(call)
    }
}

/// Calls `wait` in a task of its own, and waits until the method has begun.
async fn waiting<C: rpcnet::Caller>(
    world: &World,
    bench: &BenchClient<C>,
) -> tokio::task::JoinHandle<Result<(), CallError<crate::world::BenchError>>> {
    let (before, bench) = (world.probe.began(), bench.clone());
    let call = tokio::spawn(async move { bench.wait().await });
    while world.probe.began() == before {
        crate::world::settle().await;
    }
    call
}

/// A counter and a layer that counts calls with it.
fn counting() -> (Arc<AtomicUsize>, Before<impl Fn(&ServerCall) + Clone + Send + Sync + 'static>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let layer = Before(move |_: &ServerCall| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    (count, layer)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
