//! What a connection tells its driver.

use std::{fmt, time::Instant};

use bytes::Bytes;

use super::{head::CallHead, stream_id::StreamId};
use crate::{client::caller::Answer, codec::Codec, status::Status};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Output {
    /// The peer's hello is in: calls may be made.
    Ready { codec: Codec },
    /// The peer made a call and all of its arguments are here.
    Called(IncomingCall),
    /// The peer wants no answer to its call any more, or its deadline has passed: stop working on it. The connection has
    /// already answered what there is to answer.
    Abandoned(StreamId),
    /// A call of ours has its answer, which a stream follows if `items` says so. Its slot is taken until `close`.
    Answered { id: StreamId, result: Result<Answer, Status>, items: bool },
    /// The peer's stream of a call has items, or has ended: `read`.
    Readable(StreamId),
    /// The stream of this end may go on, or is wanted no more: `write`.
    Writable(StreamId),
    /// The peer takes no new calls on this connection.
    GoingAway,
    /// The connection is over. The last output; every call of ours was answered before it.
    Closed(CloseReason),
}

/// A call by the peer.
#[derive(Debug)]
pub(crate) struct IncomingCall {
    pub(crate) id: StreamId,
    pub(crate) head: CallHead,
    pub(crate) deadline: Option<Instant>,
    pub(crate) payload: Bytes,
}

/// Why a connection ended: the [`cause`](crate::Status::cause) of the statuses of its calls, and part of
/// [`ConnectError`](crate::ConnectError).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{Channel, CloseReason, ConnectError};
/// use tokio::{io::AsyncWriteExt, net::TcpListener};
///
/// // Something else listens there.
/// let other = TcpListener::bind("127.0.0.1:0").await?;
/// let address = other.local_addr()?;
/// tokio::spawn(async move { other.accept().await?.0.write_all(b"220 mail.example ESMTP\r\n").await });
///
/// match Channel::connect(address).await {
///     Err(ConnectError::Handshake { reason: CloseReason::NotThisProtocol, .. }) => {}
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed it, with no frame cut in two.
    Ended,
    /// The transport broke, or the stream ended in the middle of a frame.
    Broken(String),
    /// The first bytes were not those of this protocol.
    NotThisProtocol,
    /// No version both ends speak.
    VersionMismatch {
        /// The lowest and the highest the peer speaks.
        theirs: (u8, u8),
        /// The one this end speaks.
        ours: u8,
    },
    /// The peer's codec is none this end has.
    UnknownCodec(u8),
    /// The peer has another codec than the one this end asked for.
    CodecRefused,
    /// The peer said nothing for longer than the handshake may take.
    HandshakeTimeout,
    /// The peer owes an answer, was asked whether it is there, and stayed silent.
    PeerSilent,
    /// The peer broke the protocol.
    Violation(String),
    /// This end shut down.
    ShutDown,
    /// All sequence numbers are used up: time for a new connection.
    Exhausted,
}

impl CloseReason {
    pub(crate) fn violation(what: fmt::Arguments<'_>) -> Self {
        CloseReason::Violation(what.to_string())
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseReason::Ended => f.write_str("the peer closed the connection"),
            CloseReason::Broken(how) => write!(f, "the connection broke: {how}"),
            CloseReason::NotThisProtocol => f.write_str("the peer does not speak the RpcNet protocol"),
            CloseReason::VersionMismatch { theirs: (min, max), ours } => {
                write!(f, "the peer speaks versions {min} to {max} of the protocol, this end version {ours}")
            }
            CloseReason::UnknownCodec(number) => {
                write!(f, "the peer's codec number {number} is not known here")
            }
            CloseReason::CodecRefused => f.write_str("the peer does not have the codec asked for"),
            CloseReason::HandshakeTimeout => f.write_str("the peer did not say hello in time"),
            CloseReason::PeerSilent => f.write_str("the peer is silent and does not answer pings"),
            CloseReason::Violation(what) => write!(f, "the peer broke the protocol: {what}"),
            CloseReason::ShutDown => f.write_str("this end shut down"),
            CloseReason::Exhausted => f.write_str("the connection has used up its sequence numbers"),
        }
    }
}

impl std::error::Error for CloseReason {}
