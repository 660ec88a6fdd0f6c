//! The typed end of a call: what every generated client is a thin shim over.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    client::{
        caller::{Answer, Caller, Request},
        options::CallOptions,
    },
    codec::Codec,
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
        Self { caller: self.caller.clone(), options: options.or(self.options) }
    }

    /// One call with one answer. The arguments are encoded before this returns: the future owns no argument.
    pub fn unary<A, T, E>(
        &self,
        method: Method<A, T, E>,
        request_id: Option<Uuid>,
        arguments: &A,
    ) -> impl Future<Output = Result<T, CallError<E>>> + Send + use<C, A, T, E> {
        let codec = self.caller.codec();
        let encoded = (method.arguments.encode)(codec, arguments);
        let (caller, options) = (self.caller.clone(), self.options);
        async move {
            let payload = encoded.map_err(|error| unencodable(method.descriptor, error))?;
            let answer =
                caller.invoke(Request::typed(method.descriptor, request_id, payload, options)).await?;
            decode(codec, &method, answer)
        }
    }
}

fn unencodable(method: &MethodDescriptor, error: crate::codec::CodecError) -> Status {
    let message = format!("{}: the arguments cannot be encoded: {error}", method.path);
    Status::new(Reason::Unencodable, Executed::No, message)
}

fn decode<A, T, E>(codec: Codec, method: &Method<A, T, E>, answer: Answer) -> Result<T, CallError<E>> {
    match answer {
        Answer::Ok(bytes) => Ok(read(codec, method.descriptor, &method.ok, &bytes)?),
        Answer::App(bytes) | Answer::AppError(bytes) => {
            Err(CallError::App(read(codec, method.descriptor, &method.err, &bytes)?))
        }
    }
}

fn read<T>(codec: Codec, method: &MethodDescriptor, wired: &Wired<T>, bytes: &Bytes) -> Result<T, Status> {
    (wired.decode)(codec, bytes).map_err(|error| {
        let message = format!(
            "{}: the answer of {} bytes does not decode as {}: {error}; do both ends have the same trait?",
            method.path,
            bytes.len(),
            method.answer
        );
        Status::new(Reason::UndecodableAnswer, Executed::Yes, message)
    })
}
