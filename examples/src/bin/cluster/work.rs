//! The work: a piece of a file is compressed and hashed.

use bytes::Bytes;
use rpcnet::{CallError, rpc_trait};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Compresses pieces of files.
///
/// Served by the workers, who do it, and by the director, who has it done: to a client they look the same.
#[rpc_trait]
pub(crate) trait Work {
    /// Compresses and hashes up to [`PIECE_BYTES_MAX`] bytes.
    ///
    /// The same bytes come to the same whoever does it and however often, so a call whose worker died is repeated by
    /// another.
    #[rpc(idempotent)]
    async fn pack(&self, piece: Bytes) -> Result<Answer, WorkError>;
}

/// The largest piece, in bytes: small enough that none keeps a worker from the next for more than milliseconds.
pub(crate) const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What a piece came to, and who did it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The label of the worker.
    pub(crate) worker: String,
    /// What the piece came to.
    pub(crate) packed: Packed,
}

/// What a piece comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// The SHA-256 of the piece.
    pub(crate) digest: [u8; 32],
    /// The piece in Deflate format.
    pub(crate) deflated: Bytes,
}

impl Packed {
    /// The level of zlib's and gzip's default: most of what there is to gain, for some hundred microseconds a piece.
    const LEVEL: u8 = 6;

    /// Does the work. Some 20 µs a KiB of text.
    pub(crate) fn of(piece: &[u8]) -> Self {
        let deflated = miniz_oxide::deflate::compress_to_vec(piece, Self::LEVEL);
        Self { digest: Sha256::digest(piece).into(), deflated: deflated.into() }
    }
}

/// Why a piece was not packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum WorkError {
    /// The caller's fault; nothing was done.
    #[error("a piece of {bytes} bytes is over the limit of {PIECE_BYTES_MAX}")]
    TooLarge {
        /// The size of the piece.
        bytes: usize,
    },
    /// No worker answered the director in time. May be tried again.
    #[error("no worker answered: {0}")]
    Unanswered(String),
    /// The worker is shutting down, or its computation panicked.
    #[error("the worker gave up: {0}")]
    GaveUp(String),
}

/// What a director makes of a worker's answer: the worker's own error is passed on as it is.
impl From<CallError<WorkError>> for WorkError {
    fn from(error: CallError<WorkError>) -> Self {
        match error {
            CallError::App(error) => error,
            error => Self::Unanswered(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_can_be_unpacked_and_always_comes_to_the_same() {
        let piece = b"to be or not to be, that is the question".repeat(100);
        let packed = Packed::of(&piece);
        assert!(packed.deflated.len() < piece.len() / 10);
        assert_eq!(miniz_oxide::inflate::decompress_to_vec(&packed.deflated).unwrap(), piece);
        assert_eq!(packed, Packed::of(&piece));
        assert_ne!(packed, Packed::of(&piece[1..]));
    }
}
