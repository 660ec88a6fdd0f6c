//! JSON, made safe against hostile text, and against values that JSON would change.
//!
//! JSON announces no lengths and serde_json grows as it reads, but its limit of 128 nested arrays and objects does not see
//! a type that nests without either: of `struct Chain(Option<Box<Chain>>)` any text but `null` is a `Some`, inside of which
//! it is one again. [`Bounded`](super::bounded) counts these too. When encoding, [`Lossless`](super::lossless) refuses what
//! the other end would read as something else.
//!
//! Space around the value is part of JSON; anything else after it is refused.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Deserializer;

use super::{
    CodecError,
    bounded::{Bounded, Budget},
    lossless::Lossless,
};

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CodecError> {
    serde_json::to_vec(&Lossless::new(value)).map(Bytes::from).map_err(CodecError::new)
}

pub(super) fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, CodecError> {
    let budget = Budget::for_message_of(text.len());
    let mut deserializer = Deserializer::from_slice(text);
    let value = T::deserialize(Bounded::new(&mut deserializer, &budget))
        .map_err(|error| budget.blame(|| CodecError::new(error)))?;
    deserializer.end().map_err(CodecError::new)?;
    Ok(value)
}
