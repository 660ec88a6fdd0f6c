//! Where certificates and keys come from, and what is read there.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject};

use super::error::TlsError;

/// Certificates or a key, in the text form PEM: a file that is read again when it changes, or bytes.
///
/// A path becomes one by itself: `"/etc/tls/tls.crt".into()`.
#[derive(Clone)]
pub struct Pem(Source);

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

impl Pem {
    /// The file at this path.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The text itself.
    pub fn bytes(text: impl AsRef<[u8]>) -> Self {
        Self(Source::Bytes(text.as_ref().into()))
    }

    /// The text as it is now.
    ///
    /// # Errors
    ///
    /// When it is a file that cannot be read.
    pub fn to_vec(&self) -> Result<Vec<u8>, TlsError> {
        Ok(self.read()?.bytes.to_vec())
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.0, Source::File(_))
    }

    pub(super) fn read(&self) -> Result<Text, TlsError> {
        let (origin, bytes) = match &self.0 {
            Source::File(path) => {
                let bytes = std::fs::read(path).map_err(TlsError::read(path))?;
                (Origin(Some(path.as_path().into())), bytes.into())
            }
            Source::Bytes(bytes) => (Origin(None), Arc::clone(bytes)),
        };
        Ok(Text { origin, bytes })
    }
}

impl fmt::Debug for Pem {
    /// Never the bytes: they may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::File(path) => f.debug_tuple("Pem").field(path).finish(),
            Source::Bytes(_) => f.write_str("Pem(..)"),
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Pem {
    fn from(path: &P) -> Self {
        Self::file(path.as_ref())
    }
}

impl From<PathBuf> for Pem {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<String> for Pem {
    fn from(path: String) -> Self {
        Self::file(path)
    }
}

/// Where something was read from, for messages: a path, or nothing that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Option<Arc<Path>>);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => path.display().fmt(f),
            None => f.write_str("the given text"),
        }
    }
}

/// What was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) origin: Origin,
    bytes: Arc<[u8]>,
}

impl Text {
    /// All certificates, of which there is at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let what = "certificate";
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(found) if found.is_empty() => Err(TlsError::Empty { origin: self.origin.clone(), what }),
            Ok(found) => Ok(found),
            Err(error) => Err(self.unreadable(what, error)),
        }
    }

    /// The first key.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let what = "private key";
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::Empty { origin: self.origin.clone(), what },
            error => self.unreadable(what, error),
        })
    }

    pub(super) fn unreadable(&self, what: &'static str, why: impl fmt::Display) -> TlsError {
        TlsError::Unreadable { origin: self.origin.clone(), what, why: why.to_string() }
    }
}
