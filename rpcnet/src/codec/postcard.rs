//! postcard 1, made safe against hostile bytes.
//!
//! postcard checks an announced length of bytes or text against the input before it takes them. It follows a recursive
//! type as deep as it goes, passes on whatever number of elements a sequence or a map announces, and ignores bytes after the
//! value: [`Bounded`](super::bounded) takes care of the first two, the comparison here of the third.
//!
//! Its errors carry no text: what a type's own `Serialize` or `Deserialize` complains about is lost.

use ::postcard::{Deserializer, Error};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    CodecError,
    bounded::{Bounded, Budget},
};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CodecError> {
    ::postcard::to_stdvec(value).map(Bytes::from).map_err(explain)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let budget = Budget::for_message_of(bytes.len());
    let mut deserializer = Deserializer::from_bytes(bytes);
    let value = T::deserialize(Bounded::new(&mut deserializer, &budget))
        .map_err(|error| budget.blame(|| explain(error)))?;
    match deserializer.finalize().map_err(explain)?.len() {
        0 => Ok(value),
        rest => Err(CodecError::left_over(rest)),
    }
}

/// postcard's messages speak of postcard; these speak of the value.
fn explain(error: Error) -> CodecError {
    match error {
        Error::DeserializeUnexpectedEnd => CodecError::new("the bytes end short of the value"),
        Error::WontImplement => {
            CodecError::new("postcard does not say what its bytes are, and the type needs to be told")
        }
        Error::SerdeSerCustom | Error::SerdeDeCustom => {
            CodecError::new("the type does not allow such a value (postcard does not keep the reason)")
        }
        other => CodecError::new(other),
    }
}
