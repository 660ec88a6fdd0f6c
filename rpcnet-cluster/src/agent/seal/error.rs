//! Why a key could not be taken, used or given up.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::KeyId;
use super::ring::KEYS_MAX;

/// Why a key could not be read, taken, used or given up. The keyring is as it was; no message contains a key.
///
/// ```
/// use rpcnet_cluster::{Key, KeyError};
///
/// assert!(matches!("secret".parse::<Key>(), Err(KeyError::Text)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is no key.
    #[error(
        "this is no key: a key is 32 random bytes, as 64 hexadecimal digits or in base64 (`openssl rand -hex 32`)"
    )]
    Text,
    /// A line of a list of keys is no key.
    #[error(
        "line {line} is no key: a key is 32 random bytes, as 64 hexadecimal digits or in base64 (`openssl rand -hex 32`)"
    )]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A list of keys has none.
    #[error("there is no key: write one a line, the one to seal with first")]
    Empty,
    /// A file of keys could not be read.
    #[error("cannot read the keys of {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error, or what is wrong with the text; the message includes it.
        cause: io::Error,
    },
    /// The keyring holds as many keys as it can.
    #[error("the keyring holds {} keys, which is all it can: remove those that are used no more", KEYS_MAX)]
    Full,
    /// Another key of the ring has the same name by chance, one in four thousand million.
    #[error("another key of the keyring is named {id} too: generate a new one")]
    SameId {
        /// The name.
        id: KeyId,
    },
    /// The keyring does not hold the key.
    #[error("the keyring holds no key {id}: add it first, on every node")]
    Unknown {
        /// The key.
        id: KeyId,
    },
    /// The key seals what is sent.
    #[error("the key {id} seals what this node sends: use another one first")]
    InUse {
        /// The key.
        id: KeyId,
    },
    /// The system gives no randomness.
    #[error("no random bytes: {cause}")]
    Random {
        /// The system's error, which the message includes.
        cause: io::Error,
    },
}
