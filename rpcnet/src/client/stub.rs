//! The typed end of a call: what every generated client is a thin shim over.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    body::{Body, Streamed},
    client::{
        caller::{Answer, Caller, Request},
        options::CallOptions,
    },
    codec::{Codec, CodecError},
    descriptor::MethodDescriptor,
    error::CallError,
    method::{Method, Wired},
    status::{Executed, Reason, Status},
};

/// A caller with the options its calls are made with.
#[derive(Debug, Clone)]
pub struct Stub<C> {
    caller: C,
    options: CallOptions,
}

impl<C: Caller> Stub<C> {
    /// A stub without options of its own.
    pub fn new(caller: C) -> Self {
        Self { caller, options: CallOptions::new() }
    }

    /// The same stub; what `options` sets overrides what was set before.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self { caller: self.caller.clone(), options: options.or(&self.options) }
    }

    /// One call with one answer. The arguments are encoded before this returns: the future owns no argument.
    pub fn unary<A, T, E>(
        &self,
        method: Method<A, T, E>,
        request_id: Option<Uuid>,
        arguments: A,
    ) -> impl Future<Output = Result<T, CallError<E>>> + Send + use<C, A, T, E> {
        let (codec, caller) = (self.caller.codec(), self.caller.clone());
        let arguments = (method.arguments.encode)(codec, arguments);
        let request = arguments.map(|arguments| self.request(&method, request_id, arguments.payload));
        async move {
            let request = request.map_err(|error| unencodable(method.descriptor, error))?;
            let answer =
                caller.invoke(request).await.map_err(|status| explained(method.descriptor, status))?;
            decode(codec, &method, answer.into())
        }
    }

    /// One call with a stream, in one direction or in both.
    pub fn streaming<A, T, E>(
        &self,
        method: Method<A, T, E>,
        arguments: A,
    ) -> impl Future<Output = Result<T, CallError<E>>> + Send + use<C, A, T, E> {
        let (codec, caller) = (self.caller.codec(), self.caller.clone());
        let arguments = (method.arguments.encode)(codec, arguments);
        let request = arguments.map(|Body { payload, items }| (self.request(&method, None, payload), items));
        async move {
            let (request, items) = request.map_err(|error| unencodable(method.descriptor, error))?;
            let answer =
                caller.stream(request, items).await.map_err(|status| explained(method.descriptor, status))?;
            decode(codec, &method, answer)
        }
    }

    fn request<A, T, E>(
        &self,
        method: &Method<A, T, E>,
        request_id: Option<Uuid>,
        payload: Bytes,
    ) -> Request {
        Request::typed(method.descriptor, request_id, payload, self.options.clone())
    }
}

/// A server that means another method by the name says what it means; this says what is meant here.
fn explained(method: &MethodDescriptor, status: Status) -> Status {
    if status.reason() != Reason::IncompatibleMethod {
        return status;
    }
    let (said, ours) = (status.message(), method.signature());
    let message = format!("{said}, this client's `{ours}`: build both from the same trait and types");
    status.with_message(message)
}

fn unencodable(method: &MethodDescriptor, error: CodecError) -> Status {
    let message = format!("{}: the arguments cannot be encoded: {error}", method.path);
    Status::new(Reason::Unencodable, Executed::No, message)
}

fn decode<A, T, E>(codec: Codec, method: &Method<A, T, E>, answer: Streamed) -> Result<T, CallError<E>> {
    let Streamed { answer, items } = answer;
    match answer {
        Answer::Ok(payload) => Ok(read(codec, method.descriptor, &method.ok, Body { payload, items })?),
        Answer::App(payload) | Answer::AppError(payload) => {
            Err(CallError::App(read(codec, method.descriptor, &method.err, payload.into())?))
        }
    }
}

fn read<T>(codec: Codec, method: &MethodDescriptor, wired: &Wired<T>, body: Body) -> Result<T, Status> {
    let length = body.payload.len();
    (wired.decode)(codec, body).map_err(|error| {
        let message = format!(
            "{}: the answer of {length} bytes does not decode as {}: {error}; do both ends have the same trait?",
            method.path, method.answer
        );
        Status::new(Reason::UndecodableAnswer, Executed::Yes, message)
    })
}
