//! A caller as a service of tower, and a service of tower as a caller.

use std::task::{Context, Poll};

use bytes::Bytes;
use tower::{Layer, Service};

use super::{Answering, BoxError, Outgoing, fate::Fate};
use crate::{
    body::Streamed,
    client::{
        caller::{Answer, Caller, Request},
        options::CallOptions,
    },
    codec::Codec,
    status::{Reason, Status},
    streaming::Streaming,
};

/// Layers around whatever carries calls.
pub trait CallerExt: Caller {
    /// This caller behind a layer, or behind all layers of a `tower::ServiceBuilder`: again a caller, for any generated client.
    ///
    /// ```
    /// # use rpcnet::prelude::*;
    /// use std::time::Duration;
    /// use tower::ServiceBuilder;
    ///
    /// # fn example(channel: Channel) {
    /// let layers = ServiceBuilder::new().timeout(Duration::from_secs(1)).concurrency_limit(64);
    /// let caller = channel.layer(layers);
    /// # }
    /// ```
    fn layer<L>(self, layer: L) -> Layered<L::Service>
    where
        L: Layer<Carry<Self>>,
        L::Service: Service<Outgoing, Response = Streamed>,
    {
        let (codec, options) = (self.codec(), self.options());
        Layered { service: layer.layer(Carry { caller: self }), codec, options }
    }
}

impl<C: Caller> CallerExt for C {}

/// A [`Caller`] as a `tower::Service`: what a client's layers are put around. It is always ready; whatever it waits for,
/// such as a connection, it waits for within the call.
#[derive(Debug, Clone)]
pub struct Carry<C> {
    caller: C,
}

impl<C: Caller> Service<Outgoing> for Carry<C> {
    type Response = Streamed;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Outgoing) -> Answering {
        let caller = self.caller.clone();
        Box::pin(async move {
            let (request, streaming, items, fate) = call.into_parts();
            let carried = async {
                match streaming {
                    true => caller.stream(request, items).await,
                    false => caller.invoke(request).await.map(Streamed::from),
                }
            };
            fate.through(carried).await
        })
    }
}

/// A `tower::Service` as a [`Caller`]: what [`CallerExt::layer`] gives, for the `new` of any generated client.
#[derive(Debug, Clone)]
pub struct Layered<S> {
    service: S,
    codec: Codec,
    /// What the caller inside makes calls with that leave something open.
    options: CallOptions,
}

impl<S> Layered<S>
where
    S: Service<Outgoing, Response = Streamed> + Clone,
    S::Error: Into<BoxError>,
{
    /// Carries a call until it is answered or its deadline has passed, wherever it is then.
    async fn carry(&self, call: Outgoing) -> Result<Streamed, Status> {
        let (fate, deadline) = (call.fate.clone(), call.deadline());
        let carried = ready_and_call(self.service.clone(), call, &fate);
        match deadline {
            None => carried.await,
            Some(at) => tokio::time::timeout_at(at, carried).await.unwrap_or_else(|_| Err(late(&fate))),
        }
    }
}

/// Waits until a service takes a call, and hands it over.
pub(super) async fn ready_and_call<R, S>(mut service: S, call: R, fate: &Fate) -> Result<Streamed, Status>
where
    S: Service<R, Response = Streamed>,
    S::Error: Into<BoxError>,
{
    let answered = async {
        std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
        service.call(call).await
    };
    answered.await.map_err(|error: S::Error| fate.status(error))
}

fn late(fate: &Fate) -> Status {
    let message = "the deadline passed while the call was with the client's layers, or behind them";
    fate.named(Status::new(Reason::Deadline, fate.executed(), message))
}

impl<S> Caller for Layered<S>
where
    S: Service<Outgoing, Response = Streamed> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let call = Outgoing::new(request, &self.options, (false, None));
        self.carry(call).await.map(|streamed| streamed.answer)
    }

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        self.carry(Outgoing::new(request, &self.options, (true, items))).await
    }

    fn codec(&self) -> Codec {
        self.codec
    }

    fn options(&self) -> CallOptions {
        self.options.clone()
    }
}
