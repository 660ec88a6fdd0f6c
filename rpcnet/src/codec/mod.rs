//! Values to bytes and back. The protocol never looks inside: it carries what a codec made.

mod bincode;
mod bounded;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// How values are encoded.
///
/// A connection carries one codec, named in its handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// bincode 2 with its standard configuration: little-endian, variable-length integers. Compact, fast, not
    /// self-describing: both ends need the same types.
    #[default]
    Bincode,
}

impl Codec {
    /// Encodes a value.
    ///
    /// # Errors
    ///
    /// When the value's `Serialize` says so, or asks for something the codec has no form for.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, CodecError> {
        match self {
            Codec::Bincode => bincode::encode(value),
        }
    }

    /// Decodes a value that takes up all of `bytes`.
    ///
    /// What is allocated is bounded by a constant, which depends on the type, times the length of `bytes`, whatever lengths
    /// the bytes announce.
    ///
    /// # Errors
    ///
    /// When the bytes are no such value, announce more than they hold, nest deeper than
    /// [`DEPTH_MAX`], or go on after the value's end.
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, CodecError> {
        match self {
            Codec::Bincode => bincode::decode(bytes),
        }
    }

    pub(crate) const fn to_wire(self) -> u8 {
        match self {
            Codec::Bincode => 1,
        }
    }

    pub(crate) const fn from_wire(number: u8) -> Option<Self> {
        match number {
            1 => Some(Codec::Bincode),
            _ => None,
        }
    }
}

/// How deep values may nest: a recursive type is decoded by recursion, and a peer must not choose how much stack that
/// takes. Real data stays well under it.
pub const DEPTH_MAX: usize = 128;

/// Why a value could not be encoded or decoded. The caller's or the peer's data is at fault; nothing else is touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    message: String,
}

impl CodecError {
    fn new(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string() }
    }
}

#[cfg(test)]
mod tests;
