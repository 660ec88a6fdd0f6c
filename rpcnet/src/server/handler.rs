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
    wire::FRAME_PAYLOAD_MAX,
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
        // A handler may keep its bytes for as long as it likes: they must not keep the buffer they were read into, which has
        // room for many times as much. Arguments of more than one frame were copied when they were put together.
        let payload =
            if payload.len() <= FRAME_PAYLOAD_MAX { Bytes::copy_from_slice(&payload) } else { payload };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::About;

    #[test]
    fn what_a_handler_is_given_keeps_nothing_of_the_buffer_it_was_read_into() {
        for length in [0, 1, 16 << 10, FRAME_PAYLOAD_MAX] {
            let buffer = Bytes::from(vec![7; 256 << 10]);
            let arguments = Body { payload: buffer.slice(..length), items: None };
            let handler = untyped(|bytes| async move { Ok(bytes) });
            let running = handler.handle(Codec::Bincode, Context::new(About::default(), None), arguments);
            assert!(running.is_ok() && buffer.is_unique(), "{length} bytes keep all of {}", buffer.len());
        }
    }
}
