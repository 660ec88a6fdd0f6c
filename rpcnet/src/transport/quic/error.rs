//! What QUIC says of a connection that did not come about or broke, with what to do about it.

use std::{fmt::Display, io, io::ErrorKind};

use quinn::{ConnectionError, TransportErrorCode};
use rustls::AlertDescription;

use crate::transport::tls;

/// Of a connection with somebody.
pub(super) fn explain(error: ConnectionError, whom: impl Display) -> io::Error {
    let (kind, why) = described(error);
    io::Error::new(kind, format!("QUIC with {whom}: {why}"))
}

/// Of a server whose certificate this end refused.
pub(super) fn refused(error: &rustls::Error, whom: impl Display) -> io::Error {
    let (kind, why) = tls::error::described(error);
    io::Error::new(kind, format!("QUIC with {whom}: {why}"))
}

/// What rustls calls an alert travels as a code of its own range (RFC 9001, section 4.8).
fn alert(code: TransportErrorCode) -> Option<AlertDescription> {
    let code = u64::from(code).checked_sub(0x100)?;
    u8::try_from(code).ok().map(AlertDescription::from)
}

fn described(error: ConnectionError) -> (ErrorKind, String) {
    match error {
        ConnectionError::ConnectionClosed(close) => match alert(close.error_code) {
            Some(alert) => tls::error::described(&rustls::Error::AlertReceived(alert)),
            None if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                (ErrorKind::ConnectionRefused, "it takes no connections".into())
            }
            None => (ErrorKind::ConnectionAborted, format!("it gave the connection up: {close}")),
        },
        ConnectionError::TransportError(error) => match alert(error.code) {
            Some(AlertDescription::NoApplicationProtocol) => {
                tls::error::described(&rustls::Error::NoApplicationProtocol)
            }
            Some(_) => (ErrorKind::PermissionDenied, error.reason),
            None => (ErrorKind::InvalidData, error.to_string()),
        },
        ConnectionError::ApplicationClosed(close) if close.reason.is_empty() => {
            (ErrorKind::ConnectionAborted, "it closed the connection".into())
        }
        ConnectionError::ApplicationClosed(close) => {
            (ErrorKind::ConnectionAborted, String::from_utf8_lossy(&close.reason).into_owned())
        }
        ConnectionError::Reset => {
            (ErrorKind::ConnectionReset, "it does not know the connection any more".into())
        }
        ConnectionError::TimedOut => {
            (ErrorKind::TimedOut, "nothing came from it any more (`QuicBuilder::idle_timeout`)".into())
        }
        ConnectionError::VersionMismatch => {
            (ErrorKind::InvalidData, "it speaks other versions of QUIC".into())
        }
        error @ (ConnectionError::LocallyClosed | ConnectionError::CidsExhausted) => {
            (ErrorKind::ConnectionAborted, error.to_string())
        }
    }
}
