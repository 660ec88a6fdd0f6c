//! What serves a method: bytes in, a future of bytes out.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;

use crate::{
    body::{Body, Streamed},
    client::caller::Answer,
    codec::Codec,
    context::Context,
    error::AppError,
    status::Status,
};

/// The running handler of one call.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Result<Streamed, Status>> + Send>>;

/// Serves one method.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Begins to serve a call. Nothing of the method has run when this fails, or before the future is first polled.
    fn handle(&self, codec: Codec, context: Context, arguments: Body) -> Result<HandlerFuture, Status>;
}

impl std::fmt::Debug for dyn Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}

/// Arguments under this size are copied out of the buffer they were read into, which has up to 256 KiB; larger ones keep at
/// most sixteen times their size alive.
const COPIED_BELOW: usize = 16 << 10;

/// An untyped handler: a function from bytes to a future of bytes.
struct Untyped<F>(Arc<F>);

/// Wraps a function from bytes to a future of bytes, as [`Server::register`](crate::Server) takes it.
pub(crate) fn untyped<F, Fut>(function: F) -> Arc<dyn Handler>
where
    F: Fn(Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Bytes, AppError>> + Send + 'static,
{
    Arc::new(Untyped(Arc::new(function)))
}

impl<F, Fut> Handler for Untyped<F>
where
    F: Fn(Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Bytes, AppError>> + Send + 'static,
{
    fn handle(&self, codec: Codec, _context: Context, arguments: Body) -> Result<HandlerFuture, Status> {
        let payload = arguments.payload;
        // A handler may keep its bytes for as long as it likes: they must not keep the buffer they were read into.
        let payload = if payload.len() < COPIED_BELOW { Bytes::copy_from_slice(&payload) } else { payload };
        let function = Arc::clone(&self.0);
        Ok(Box::pin(async move {
            // The function is the user's code too: it runs when the call is polled, under its context.
            match function(payload).await {
                Ok(bytes) => Ok(Answer::Ok(bytes).into()),
                Err(error) => Ok(Answer::AppError(codec.encode(&error).unwrap_or_default()).into()),
            }
        }))
    }
}
