//! What one end of a call sends the other: a value, and a stream of values after it where the method has one.

use bytes::{Bytes, BytesMut};

use crate::{
    client::caller::Answer,
    codec::{Codec, CodecError},
    private::Wire,
    status::{Executed, Reason, Status},
    streaming::Streaming,
};

/// Arguments or an answer, encoded.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) payload: Bytes,
    /// The encoded items of the stream, where there is one.
    pub(crate) items: Option<Streaming<Bytes>>,
}

impl From<Bytes> for Body {
    fn from(payload: Bytes) -> Self {
        Self { payload, items: None }
    }
}

/// An answer with the stream that follows it, where the method has one.
#[derive(Debug)]
pub struct Streamed {
    /// The answer. That of a method that answers a stream is empty, unless it is an error.
    pub answer: Answer,
    /// The encoded items.
    pub items: Option<Streaming<Bytes>>,
}

impl From<Answer> for Streamed {
    fn from(answer: Answer) -> Self {
        Self { answer, items: None }
    }
}

/// Values on their way out.
pub(crate) fn encoded<T: Wire>(codec: Codec, items: Streaming<T>) -> Streaming<Bytes> {
    // Encoded one behind the other, and given out as views: an item that has been sent leaves its room to the next.
    let mut out = BytesMut::new();
    items.try_map(move |item| {
        codec.encode_into(&item, &mut out).map_err(|error| {
            let message = format!("an item of the stream cannot be encoded: {error}");
            Status::new(Reason::Unencodable, Executed::Yes, message)
        })?;
        Ok(out.split().freeze())
    })
}

/// Values on their way in. A side whose method has a stream gets an empty one where the peer sent none.
pub(crate) fn decoded<T: Wire>(codec: Codec, items: Option<Streaming<Bytes>>) -> Streaming<T> {
    let items = items.unwrap_or_else(Streaming::empty);
    items.try_map(move |bytes| codec.decode(&bytes).map_err(|error| undecodable::<T>(bytes.len(), &error)))
}

fn undecodable<T>(length: usize, error: &CodecError) -> Status {
    let message = format!(
        "an item of {length} bytes does not decode as {}: {error}; do both ends have the same trait?",
        std::any::type_name::<T>()
    );
    Status::new(Reason::UndecodableItem, Executed::Yes, message)
}
