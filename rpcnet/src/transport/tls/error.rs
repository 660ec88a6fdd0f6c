//! What is wrong with certificates and keys, and where.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{super::Address, pem::Origin};

/// Why certificates cannot be used. Whatever was in use before still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error, which the message includes.
        cause: io::Error,
    },
    /// What was read is not PEM, or not of what it should be.
    #[error("{origin} is no {what} in PEM: {why}")]
    Unreadable {
        /// Where it was read from.
        origin: Origin,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is nothing of what there should be.
    #[error("{origin} holds no {what}: PEM has it between `-----BEGIN …-----` and `-----END …-----`")]
    Empty {
        /// Where it was read from.
        origin: Origin,
        /// What it should be.
        what: &'static str,
    },
    /// The key is not that of the certificate: another one, or the two files were not replaced together.
    #[error("the key in {key} is not that of the certificate in {certificate}")]
    OtherKey {
        /// Where the certificate was read from.
        certificate: Origin,
        /// Where the key was read from.
        key: Origin,
    },
    /// The certificate, or one of its chain, is of no use at this time.
    #[error("the certificate in {origin} {}", when(*since, *until))]
    OutOfDate {
        /// Where it was read from.
        origin: Origin,
        /// From when it is valid.
        since: SystemTime,
        /// Until when.
        until: SystemTime,
    },
    /// The certificate has more than one URI, so that it does not say whose it is.
    #[error("the certificate in {origin} has {count} URIs and thus no identity: give it one")]
    Ambiguous {
        /// Where it was read from.
        origin: Origin,
        /// How many.
        count: usize,
    },
    /// Neither a certificate nor roots were given.
    #[error("neither `certificate` nor `roots` was given: a server needs the first, a client the second")]
    Nothing,
    /// Clients were to be asked for a certificate, or let in without one, and there are no roots to check one by.
    #[error("`allow_anonymous` means something only with `roots`: without them no client is asked who it is")]
    NobodyAsked,
    /// A certificate of development could not be made.
    #[error("cannot make a certificate for development: {0}")]
    Development(String),
    /// A file cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error, which the message includes.
        cause: io::Error,
    },
}

impl TlsError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |cause| Self::Read { path: path.to_owned(), cause }
    }
}

fn when(since: SystemTime, until: SystemTime) -> String {
    let now = SystemTime::now();
    match (now.duration_since(until), since.duration_since(now)) {
        (Ok(ago), _) => format!("has expired {} ago: renew it", readable(ago)),
        (_, Ok(ahead)) => format!("is not valid before {} from now: is the clock right?", readable(ahead)),
        _ => "is valid for no time: it ends before it begins".to_owned(),
    }
}

/// A duration in its largest unit.
fn readable(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What TLS says of a connection that did not come about or broke, with what to do about it.
pub(super) fn explain(error: io::Error, doing: &str, whom: impl std::fmt::Display) -> io::Error {
    let Some(tls) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        return error;
    };
    let (kind, why) = described(tls);
    io::Error::new(kind, format!("TLS {doing} {whom}: {why}"))
}

/// Whoever cannot be helped by a second try is `PermissionDenied`; what is left is `InvalidData`.
pub(in crate::transport) fn described(error: &rustls::Error) -> (io::ErrorKind, String) {
    use rustls::{AlertDescription as Alert, CertificateError as Certificate, Error as Tls};
    let why = match error {
        Tls::InvalidCertificate(certificate) => match certificate {
            Certificate::UnknownIssuer => "its certificate was not issued by one of the `roots` of this end".into(),
            Certificate::Expired | Certificate::ExpiredContext { .. } => {
                "its certificate has expired: renew it, or set the clock of this host".into()
            }
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                "its certificate is not valid yet: is the clock of this host right?".into()
            }
            Certificate::Other(other) => format!("its certificate {}", other.0),
            other => format!("its certificate: {other}"),
        },
        Tls::NoCertificatesPresented => "it has no certificate, and this end lets nobody in without one".into(),
        Tls::AlertReceived(alert) => match alert {
            Alert::CertificateRequired => {
                "it asks for a certificate, and this end has none: set `TlsBuilder::certificate`".into()
            }
            Alert::UnknownCA | Alert::DecryptError => {
                "it does not trust who issued the certificate of this end".into()
            }
            Alert::CertificateExpired => {
                "it finds the certificate of this end expired, or not valid yet: renew it, or compare the clocks".into()
            }
            Alert::AccessDenied | Alert::BadCertificate | Alert::CertificateUnknown => {
                format!("it does not accept the certificate of this end ({alert:?})")
            }
            Alert::NoApplicationProtocol => "it serves another protocol than RpcNet's there".into(),
            other => format!("it refused ({other:?})"),
        },
        Tls::InvalidMessage(_) => return (io::ErrorKind::InvalidData, "it does not speak TLS".into()),
        Tls::NoApplicationProtocol => "it wants another protocol than RpcNet's".into(),
        Tls::PeerIncompatible(why) => format!("it does not speak TLS 1.3 as this end does ({why:?})"),
        other => return (io::ErrorKind::InvalidData, other.to_string()),
    };
    (io::ErrorKind::PermissionDenied, why)
}

/// A name that no certificate can be for.
pub(super) fn nameless(address: &Address) -> io::Error {
    let message = format!(
        "{address} has no name that a certificate could be for; say which by `TlsBuilder::server_name` or `TlsBuilder::servers`"
    );
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// This end was not given what its part needs.
pub(super) fn lacks(what: &str, whose: &str) -> io::Error {
    let message = format!("{whose} needs `TlsBuilder::{what}`, and this one has none");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
