//! Opening a connection: dial, shake hands, within a time.

use std::{sync::Arc, time::Duration};

use super::connection::Handle;
use crate::{
    codec::Codec,
    status::{Executed, Reason, Status},
    transport::{Address, Transport},
    wire::{CloseReason, Limits},
};

/// Why a connection could not be opened. No call was sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{Channel, ConnectError};
///
/// // Nobody listens on a port that was just given back.
/// let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
/// match Channel::connect(address).await {
///     Err(ConnectError::Dial { cause, .. }) => assert_eq!(cause.kind(), std::io::ErrorKind::ConnectionRefused),
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The transport could not reach the address: refused, unreachable, or not allowed.
    #[error("cannot connect to {address}: {cause}")]
    Dial {
        /// Where to.
        address: Address,
        /// The transport's error. The message includes it, so it is not the `source` too: a report would say it twice.
        cause: Arc<std::io::Error>,
    },
    /// Nothing answered in time.
    #[error("cannot connect to {address}: no answer within {timeout:?} (`connect_timeout`)")]
    TimedOut {
        /// Where to.
        address: Address,
        /// How long was waited.
        timeout: Duration,
    },
    /// The other end answered, and the handshake failed.
    #[error("cannot connect to {address}: {reason}{}", during(reason))]
    Handshake {
        /// Where to.
        address: Address,
        /// What went wrong.
        reason: CloseReason,
    },
}

fn during(reason: &CloseReason) -> &'static str {
    if *reason == CloseReason::Ended { " during the handshake" } else { "" }
}

impl ConnectError {
    /// Whether the host answered that nobody listens there: proof that the process is gone, where a time-out proves
    /// nothing.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Dial { cause, .. } if cause.kind() == std::io::ErrorKind::ConnectionRefused)
    }
}

impl From<ConnectError> for Status {
    fn from(error: ConnectError) -> Self {
        Status::new(Reason::ConnectFailed, Executed::No, error.to_string()).caused_by(error)
    }
}

/// How connections to a server are opened.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) address: Address,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) codec: Codec,
    pub(super) limits: Limits,
    pub(super) timeout: Duration,
}

impl Connector {
    /// Opens a connection and waits for the handshake.
    pub(super) async fn connect(&self) -> Result<Handle, ConnectError> {
        let (address, timeout) = (self.address.clone(), self.timeout);
        match tokio::time::timeout(timeout, self.dial()).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::TimedOut { address, timeout }),
        }
    }

    /// The error of a dial whose task has ended without a result.
    pub(super) fn abandoned(&self) -> ConnectError {
        let cause = Arc::new(std::io::Error::other("the task that was opening the connection has ended"));
        ConnectError::Dial { address: self.address.clone(), cause }
    }

    async fn dial(&self) -> Result<Handle, ConnectError> {
        let address = || self.address.clone();
        let stream = self.transport.connect(&self.address).await;
        let stream =
            stream.map_err(|error| ConnectError::Dial { address: address(), cause: Arc::new(error) })?;
        let connection = Handle::start(stream, self.codec, self.limits);
        match std::future::poll_fn(|cx| connection.poll_handshake(cx)).await {
            Ok(()) => Ok(connection),
            Err(reason) => Err(ConnectError::Handshake { address: address(), reason }),
        }
    }
}
