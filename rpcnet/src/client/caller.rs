//! Whatever can carry a call: one connection, a cluster, a service in the same process.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    body::Streamed,
    client::{options::CallOptions, sent::Attempted},
    codec::Codec,
    descriptor::{Idempotency, MethodDescriptor, MethodId},
    error::{AppError, CallError},
    status::{Executed, Reason, Status},
    streaming::Streaming,
};

/// Carries encoded calls to a server and brings back what it answered.
///
/// Every generated client is generic over a `Caller`, so that the same stub runs over one connection
/// ([`Channel`](crate::Channel)) or over a cluster. An implementation promises:
///
/// - the future ends by the deadline of the call, whatever happens to the server;
/// - a [`Status`] says [`Executed::No`](crate::Executed::No) only when the method provably did not run;
/// - a call that may have run is sent again only when its [`Idempotency`] allows it;
/// - dropping the future cancels the call.
///
/// ```
/// use bytes::Bytes;
/// use rpcnet::{Answer, Caller, Request, Status, rpc_trait};
///
/// #[rpc_trait]
/// trait Clock {
///     async fn now(&self) -> rpcnet::Result<u64>;
/// }
///
/// /// Answers every call with the number 7.
/// #[derive(Clone)]
/// struct Seven;
///
/// impl Caller for Seven {
///     async fn invoke(&self, _: Request) -> Result<Answer, Status> {
///         Ok(Answer::Ok(self.codec().encode(&7_u64).map(Bytes::from).unwrap()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(ClockClient::new(Seven).now().await.unwrap(), 7);
/// # }
/// ```
pub trait Caller: Clone + Send + Sync + 'static {
    /// Carries one call.
    fn invoke(&self, request: Request) -> impl Future<Output = Result<Answer, Status>> + Send;

    /// Carries one call that has a stream in one direction or in both; `items` is what the client streams. The future is
    /// done when the method has answered; the streams go on after it.
    ///
    /// A [`Caller`] of one's own need not: such calls then fail, with [`Reason::StreamsUnsupported`].
    fn stream(
        &self,
        request: Request,
        items: Option<Streaming<Bytes>>,
    ) -> impl Future<Output = Result<Streamed, Status>> + Send {
        drop(items);
        let message = format!("{}: the method has a stream, and this caller carries none", request.name);
        std::future::ready(Err(Status::new(Reason::StreamsUnsupported, Executed::No, message)))
    }

    /// The codec that arguments are encoded with and answers come back in.
    fn codec(&self) -> Codec {
        Codec::Bincode
    }

    /// What calls are made with where their own options leave something open. Whatever stands between a call and the caller
    /// needs it to know the call's deadline.
    fn options(&self) -> CallOptions {
        CallOptions::new()
    }
}

/// One call, encoded once however often it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method's full name, for errors and logs.
    pub name: Name,
    /// The method's id on the wire.
    pub method: MethodId,
    /// What may be done when it is not known whether the call ran.
    pub idempotency: Idempotency,
    /// The lower half of the method's [fingerprint](MethodDescriptor::fingerprint), by which a server sees that it means
    /// another method by the name. 0 when the caller does not know the method's types: then nothing is compared.
    pub fingerprint: u32,
    /// The request id of a keyed call.
    pub request_id: Option<Uuid>,
    /// Of a keyed call that is not the first with its id: what went before. Whoever sends it fills this in; see
    /// [`SentIds`](crate::SentIds).
    pub attempted: Option<Attempted>,
    /// The encoded arguments.
    pub payload: Bytes,
    /// The caller's settings.
    pub options: CallOptions,
}

impl Request {
    /// A call to a method whose trait is known.
    pub fn typed(
        method: &'static MethodDescriptor,
        request_id: Option<Uuid>,
        payload: Bytes,
        options: CallOptions,
    ) -> Self {
        let name = Name::Static(method.path);
        let options = options.or_timeout(method.timeout).or_hedge(method.hedge);
        let fingerprint = method.short_fingerprint();
        Self {
            name,
            fingerprint,
            method: method.id,
            idempotency: method.idempotency,
            request_id,
            attempted: None,
            payload,
            options,
        }
    }

    /// A call by name, bytes in and bytes out. At most once unless the options say otherwise.
    pub fn untyped(name: &str, payload: impl Into<Bytes>, options: CallOptions) -> Self {
        Self {
            name: Name::Owned(name.into()),
            method: MethodId::of(name),
            idempotency: options.untyped_idempotency(),
            fingerprint: 0,
            request_id: None,
            attempted: None,
            payload: payload.into(),
            options,
        }
    }
}

/// The full name of a method: the literal of a generated stub, or a string made at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Known when the program was compiled.
    Static(&'static str),
    /// Made while it runs.
    Owned(std::sync::Arc<str>),
}

impl std::ops::Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Name::Static(name) => name,
            Name::Owned(name) => name,
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

/// What a method answered, still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The value of `Ok`.
    Ok(Bytes),
    /// The value of `Err`, of the method's own type.
    App(Bytes),
    /// The value of `Err`, which is an [`AppError`](crate::AppError) and can be read without knowing the method.
    AppError(Bytes),
}

impl Answer {
    /// How many bytes the encoded value has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Answer::Ok(bytes) | Answer::App(bytes) | Answer::AppError(bytes) => bytes.len(),
        }
    }

    /// The answer as a caller gets it that does not know the method: the bytes of `Ok`, or an error it can read.
    ///
    /// # Errors
    ///
    /// The method's `Err`. One of a type not known here is reported by its size.
    pub fn untyped(self, codec: Codec) -> Result<Bytes, CallError> {
        match self {
            Answer::Ok(bytes) => Ok(bytes),
            Answer::AppError(bytes) => {
                Err(CallError::App(codec.decode(&bytes).unwrap_or_else(AppError::from)))
            }
            Answer::App(bytes) => {
                let size = bytes.len();
                let message =
                    format_args!("the method's own error, {size} bytes encoded in a type not known here");
                Err(CallError::App(AppError::msg(message)))
            }
        }
    }
}
