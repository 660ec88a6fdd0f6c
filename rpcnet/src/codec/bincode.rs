//! bincode 2.0.1, made safe against hostile bytes.
//!
//! bincode by itself allocates whatever length a string announces, follows a recursive type as deep as it goes, and does
//! not mind bytes after the value. [`Bounded`](super::bounded) takes care of the first two, the comparison here of the
//! third. bincode's own limit is not used: it counts decoded sizes rather than bytes, as a const generic, so that one
//! limit for many message sizes would mean one copy of every decoder for each.

use std::{cell::Cell, marker::PhantomData};

use ::bincode::{config, error::DecodeError};
use bytes::{BufMut, Bytes, BytesMut};
use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer},
};

use super::{
    CodecError,
    bounded::{Bounded, Budget},
};

/// The longest value that is encoded into memory which the thread keeps, and then copied: one allocation of the right size, where a
/// vector that grows under the encoder takes four. Above it the copy would cost more than they do.
const SCRATCH_BYTES_MAX: usize = 4 << 10;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, CodecError> {
    // Taken and not borrowed: a `Serialize` of the user's may encode something in turn. It then does so into a vector of its own.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.clear();
    ::bincode::serde::encode_into_std_write(value, &mut scratch, config::standard())
        .map_err(CodecError::new)?;
    if scratch.capacity() > SCRATCH_BYTES_MAX {
        return Ok(Bytes::from(scratch));
    }
    let bytes = Bytes::copy_from_slice(&scratch);
    // A thread that ends keeps nothing.
    let _ = SCRATCH.try_with(|kept| kept.set(scratch));
    Ok(bytes)
}

pub(super) fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut BytesMut) -> Result<(), CodecError> {
    let before = out.len();
    ::bincode::serde::encode_into_std_write(value, &mut out.writer(), config::standard()).map(drop).map_err(
        |error| {
            out.truncate(before);
            CodecError::new(error)
        },
    )
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let budget = Budget::for_message_of(bytes.len());
    let seed = Seed { budget: &budget, value: PhantomData };
    let (value, used) = ::bincode::serde::seed_decode_from_slice(seed, bytes, config::standard())
        .map_err(|error| budget.blame(|| explain(error)))?;
    match bytes.len() - used {
        0 => Ok(value),
        rest => Err(CodecError::left_over(rest)),
    }
}

/// Decodes a `T` through [`Bounded`].
struct Seed<'b, T> {
    budget: &'b Budget,
    value: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(Bounded::new(deserializer, self.budget))
    }
}

/// bincode's messages are `Debug` texts; the common ones deserve better.
fn explain(error: DecodeError) -> CodecError {
    match error {
        DecodeError::UnexpectedEnd { additional } => {
            CodecError::new(format_args!("the bytes end {additional} short of the value"))
        }
        DecodeError::OtherString(message) => CodecError::new(message),
        other => CodecError::new(other),
    }
}
