//! Values to bytes and back. The protocol never looks inside: it carries what a codec made.

mod bincode;
mod bounded;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "json")]
mod lossless;
#[cfg(feature = "postcard")]
mod postcard;

use bytes::{Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};

/// How values are encoded.
///
/// A connection carries one codec, which the client chooses ([`ChannelBuilder::codec`](crate::ChannelBuilder::codec)) and
/// names in its handshake; the server answers in it. One server serves clients of all codecs at once. A codec that was
/// left out when the server was compiled is one it does not know.
///
/// ```
/// use rpcnet::Codec;
///
/// let bytes = Codec::Bincode.encode(&("Ann", 3)).unwrap();
/// assert_eq!(&bytes[..], b"\x03Ann\x06");
/// assert_eq!(Codec::Bincode.decode::<(String, i32)>(&bytes).unwrap(), ("Ann".to_owned(), 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// bincode 2 with its standard configuration: little-endian, variable-length integers. Compact, fast, not
    /// self-describing: both ends need the same types. Number 1 in the handshake.
    #[default]
    Bincode,
    /// postcard 1: as compact as bincode, in a [specified](https://postcard.jamesmunns.com/wire-format) format that
    /// libraries for other languages exist for. Not self-describing either. What a type's own `Serialize` or `Deserialize`
    /// complains about does not become part of the error. Number 2 in the handshake.
    ///
    /// Needs the feature `postcard`.
    #[cfg(feature = "postcard")]
    Postcard,
    /// JSON, for clients in languages that have no Rust types, and for people who read along. Several times larger and
    /// slower than the others. Number 3 in the handshake.
    ///
    /// Needs the feature `json`.
    ///
    /// # What it cannot carry
    ///
    /// Encoding fails where a value would arrive as another one.
    ///
    /// | value | bincode | postcard | JSON |
    /// |---|---|---|---|
    /// | integers | as they are | as they are | numbers, all digits; JavaScript's own are exact up to 2⁵³ |
    /// | `f32`, `f64` | as they are | as they are | numbers that give the same float; NaN and infinities are refused |
    /// | [`Bytes`] | as they are | as they are | an array of numbers; a string is taken too, as its UTF-8 |
    /// | `None` | one byte | one byte | `null` |
    /// | `Some(value)` | one byte and the value | one byte and the value | the value; refused if that is `null`, as of `Some(None)` and `Some(())` |
    /// | `()`, a struct without fields or parentheses | no bytes | no bytes | `null` |
    /// | a map | pairs | pairs | an object; keys are texts, numbers, booleans or variants without fields, others are refused |
    /// | a struct | its fields | its fields | an object; unknown members are skipped, an `Option` may be missing |
    /// | an enum | the variant's index | the variant's index | `"Unit"`, `{"New":1}`, `{"Tuple":[1,2]}`, `{"Struct":{"a":1}}` |
    /// | `#[serde(untagged, tag, flatten)]` | not decoded | not decoded | as serde says, without integers over 64 bits |
    /// | `Uuid`, `IpAddr` and others with a text form | bytes | bytes | the text |
    ///
    /// serde goes round in circles with an `untagged` type that contains itself and nothing else, as in
    /// `enum Tree { Leaf(u8), Node(Box<Tree>) }`, out of any codec's reach: do not decode such a type.
    ///
    /// # What a client in another language sends
    ///
    /// | part of a call | JSON |
    /// |---|---|
    /// | arguments | an array with each of them in order: `["Ann"]`, `["Ann",3]`; `[]` when there are none |
    /// | arguments beside a stream | the same, without the stream; each item is a message of its own |
    /// | an answer | the value of `Ok` |
    /// | an error | the value of `Err`; an [`AppError`](crate::AppError) is `{"message":"…","causes":["…"]}` |
    ///
    /// A call with the fingerprint 0 is not checked against the method's types.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # use rpcnet::Codec;
    /// assert_eq!(&Codec::Json.encode(&("Ann",)).unwrap()[..], br#"["Ann"]"#);
    /// assert_eq!(&Codec::Json.encode(&()).unwrap()[..], b"null");
    /// assert!(Codec::Json.encode(&f64::NAN).is_err());
    /// # }
    /// ```
    #[cfg(feature = "json")]
    Json,
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
            #[cfg(feature = "postcard")]
            Codec::Postcard => postcard::encode(value),
            #[cfg(feature = "json")]
            Codec::Json => json::encode(value),
        }
    }

    /// Encodes a value behind what is in `out`, which is as it was if that fails.
    pub(crate) fn encode_into<T: Serialize + ?Sized>(
        self,
        value: &T,
        out: &mut BytesMut,
    ) -> Result<(), CodecError> {
        if self == Codec::Bincode {
            return bincode::encode_into(value, out);
        }
        out.extend_from_slice(&self.encode(value)?);
        Ok(())
    }

    /// Decodes a value that takes up all of `bytes`.
    ///
    /// What is allocated is bounded by a constant, which depends on the type, times the length of `bytes`, whatever lengths
    /// the bytes announce.
    ///
    /// # Errors
    ///
    /// When the bytes are no such value, announce more than they hold, nest deeper than
    /// [`DEPTH_MAX`], or go on after the value's end. (In JSON, arrays and objects nest 127 deep, and space after the value
    /// is part of it.)
    pub fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, CodecError> {
        match self {
            Codec::Bincode => bincode::decode(bytes),
            #[cfg(feature = "postcard")]
            Codec::Postcard => postcard::decode(bytes),
            #[cfg(feature = "json")]
            Codec::Json => json::decode(bytes),
        }
    }

    pub(crate) const fn to_wire(self) -> u8 {
        match self {
            Codec::Bincode => 1,
            #[cfg(feature = "postcard")]
            Codec::Postcard => 2,
            #[cfg(feature = "json")]
            Codec::Json => 3,
        }
    }

    pub(crate) const fn from_wire(number: u8) -> Option<Self> {
        match number {
            1 => Some(Codec::Bincode),
            #[cfg(feature = "postcard")]
            2 => Some(Codec::Postcard),
            #[cfg(feature = "json")]
            3 => Some(Codec::Json),
            _ => None,
        }
    }
}

/// How deep values may nest: a recursive type is decoded by recursion, and a peer must not choose how much stack that
/// takes. Real data stays well under it.
pub const DEPTH_MAX: usize = 128;

/// Why a value could not be encoded or decoded. The caller's or the peer's data is at fault; nothing else is touched.
///
/// ```
/// use rpcnet::Codec;
///
/// let cut = Codec::Bincode.decode::<String>(&[5, b'h', b'i']);
/// println!("{}", cut.unwrap_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    message: String,
}

impl CodecError {
    /// The longest message that is kept: some quote the peer's text, however long it is.
    const MESSAGE_BYTES_MAX: usize = 1 << 10;

    fn new(message: impl std::fmt::Display) -> Self {
        let mut message = message.to_string();
        if message.len() > Self::MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(Self::MESSAGE_BYTES_MAX));
            message.push('…');
        }
        Self { message }
    }

    fn left_over(bytes: usize) -> Self {
        Self::new(format_args!("{bytes} bytes are left after the value"))
    }
}

#[cfg(test)]
mod tests;
