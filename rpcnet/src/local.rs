//! A service in the same process: calls without a network, for tests and for programs that have both ends.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep};

use crate::{
    body::{Body, Streamed},
    client::caller::{Answer, Caller, Request},
    codec::Codec,
    context::About,
    server::{
        builder::BindError,
        router::Router,
        routes::Service,
        services::{Incoming, Services, awaited},
        settings::Settings,
    },
    status::{Executed, Reason, Status},
    streaming::Streaming,
};

/// Carries calls to a service in the same process. What the `local` of every generated client is made of.
///
/// A call means what it means over a network: arguments and answers are encoded and decoded, deadlines hold, panics are
/// caught, dropping the future cancels it, a repeated request id is answered from a cache. It runs in its caller's task, or
/// for a method that cannot be cancelled in one of its own, and needs a tokio runtime.
///
/// ```
/// # use rpcnet::prelude::*;
/// #[rpc_trait]
/// trait Greeter {
///     async fn greet(&self, name: String) -> rpcnet::Result<String>;
/// }
///
/// struct English;
///
/// impl Greeter for English {
///     async fn greet(&self, name: String) -> rpcnet::Result<String> {
///         Ok(format!("hello, {name}"))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), CallError> {
/// let greeter = GreeterClient::local(English);
/// assert_eq!(greeter.greet("Ann".into()).await?, "hello, Ann");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Local {
    services: Arc<Services>,
}

impl Local {
    /// Serves a service to its own process, with the limits a server has by default.
    ///
    /// # Errors
    ///
    /// When two of its methods have one id, which the macro does not let happen.
    pub fn new(service: impl Service) -> Result<Self, BindError> {
        let mut router = Router::default();
        router.add_service(service)?;
        Ok(Self::serving(Services::new(router, Settings::default())))
    }

    pub(crate) fn serving(services: Arc<Services>) -> Self {
        Self { services }
    }

    /// Runs a call until it has answered or its deadline has passed.
    async fn run(
        &self,
        request: Request,
        deadline: Option<Instant>,
        call: (bool, Option<Streaming<Bytes>>),
    ) -> Result<Streamed, Status> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            let message = "the deadline had passed before the call was made";
            return Err(Status::new(Reason::Deadline, Executed::No, message));
        }
        let call = self.incoming(request, deadline, call);
        let ran = awaited(|answered| self.services.begin(call, move |result| drop(answered.send(result))));
        let Some(deadline) = deadline else { return ran.await };
        let passed =
            || Status::new(Reason::Deadline, Executed::Unknown, "the deadline passed while the method ran");
        let Streamed { answer, items } =
            tokio::time::timeout_at(deadline, ran).await.map_err(|_| passed())??;
        let items = items.map(|items| {
            let timer = Box::pin(tokio::time::sleep_until(deadline));
            Streaming::from_results(Until { items, timer })
        });
        Ok(Streamed { answer, items })
    }

    fn incoming(
        &self,
        request: Request,
        deadline: Option<Instant>,
        (streaming, items): (bool, Option<Streaming<Bytes>>),
    ) -> Incoming {
        let about = About {
            origin: None,
            deadline: deadline.map(Instant::into_std),
            request_id: request.request_id,
            repeat: None,
            trace: request.options.trace_now().map(Box::new),
            metadata: request.options.shared_metadata(),
        };
        let arguments = Body { payload: request.payload, items };
        let fingerprint = request.fingerprint;
        Incoming {
            method: request.method,
            streaming,
            fingerprint,
            codec: self.codec(),
            about,
            arguments,
            permit: None,
        }
    }
}

impl Caller for Local {
    async fn invoke(&self, request: Request) -> Result<Answer, Status> {
        let deadline = request.options.deadline(Instant::now().into_std());
        let name = request.name.clone();
        let ran = self.run(request, Some(Instant::from_std(deadline)), (false, None)).await;
        ran.map(|streamed| streamed.answer).map_err(|status| status.at(name))
    }

    async fn stream(&self, request: Request, items: Option<Streaming<Bytes>>) -> Result<Streamed, Status> {
        let deadline = request.options.explicit_deadline(Instant::now().into_std());
        let name = request.name.clone();
        let ran = self.run(request, deadline.map(Instant::from_std), (true, items)).await;
        ran.map_err(|status| status.at(name))
    }

    fn codec(&self) -> Codec {
        Codec::default()
    }
}

/// What a method streams, until the deadline of the call.
struct Until {
    items: Streaming<Bytes>,
    timer: Pin<Box<Sleep>>,
}

impl Stream for Until {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        // First, or a stream that is always ready would have no deadline.
        if self.timer.as_mut().poll(cx).is_ready() {
            let message = "the deadline passed before the stream was complete";
            return Poll::Ready(Some(Err(Status::new(Reason::Deadline, Executed::Yes, message))));
        }
        Pin::new(&mut self.items).poll_next(cx)
    }
}
