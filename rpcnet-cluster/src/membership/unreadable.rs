//! Why what a stranger sent cannot be read.

use thiserror::Error;

use super::Malformed;

/// What is wrong with bytes that came from the network, as far as bytes that nobody vouches for can tell: good for a
/// counter and for a person who looks for a mistake in the settings, and nothing is decided by it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A message in plain text, where messages must be sealed.
    #[error("it speaks in plain text, and this node has a keyring")]
    Plaintext,
    /// A sealed message, and this node has no keyring.
    #[error("it seals its messages, and this node has no keyring")]
    Sealed,
    /// Sealed with a key that this node does not hold.
    #[error("it seals with a key that is not in this node's keyring")]
    UnknownKey,
    /// Named a key of this node, and was not sealed with it, or changed on the way.
    #[error("the message was changed or forged")]
    Forged,
    /// Of another cluster, by its name.
    #[error("it belongs to a cluster of another name")]
    OtherCluster,
    /// The sender speaks no version that is understood here.
    #[error("it speaks no version of the protocol that this node does")]
    Version,
    /// A message of this very node came back to it.
    #[error("the message is this node's own")]
    Own,
    /// Not a message at all.
    #[error("it is no message of the protocol")]
    Malformed,
}

impl From<Malformed> for Unreadable {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::OtherCluster => Self::OtherCluster,
            Malformed::Version => Self::Version,
            Malformed::Own => Self::Own,
            Malformed::Truncated | Malformed::TooLong | Malformed::Value(_) => Self::Malformed,
        }
    }
}
