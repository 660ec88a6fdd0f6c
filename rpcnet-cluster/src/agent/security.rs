//! One file that secures a cluster: certificates for calls, keys for gossip.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use rpcnet::transport::{
    InvalidIdentityPattern,
    tls::{Tls, TlsError},
};
use serde::Deserialize;
use thiserror::Error;
use tokio::task::JoinHandle;

use super::{keyring::Keyring, seal::KeyError};

/// How often the file of keys is looked at, as TLS looks at its files.
const RELOAD_EVERY: Duration = Duration::from_secs(10);

/// What protects a cluster, in one file: mutual TLS for the calls between its processes, a keyring for its gossip.
///
/// ```toml
/// [tls]
/// certificate = "tls.crt"         # of this process, followed by those that lead to a root
/// key = "tls.key"
/// roots = "ca.crt"                # who issues everybody's
/// servers = ["spiffe://prod/*"]   # whom calls are made to, wherever they are; without it, by the names in addresses
///
/// [gossip]
/// keys = "gossip.keys"            # one a line, the one to seal with first
/// ```
///
/// Paths are relative to the file. What they lead to is read again when it changes, while the process runs; the file itself
/// is not.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::Server;
/// use rpcnet_cluster::{ClusterMembership, Security};
///
/// let security = Security::from_file("/etc/cluster/security.toml")?;
/// let server = Server::builder().transport(security.tls()).bind("0.0.0.0:7001").await?;
/// let node = ClusterMembership::builder()
///     .bind("0.0.0.0:7946")
///     .security(&security)
///     .advertise(server.local_addr())
///     .join()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Security {
    inner: Arc<Inner>,
}

struct Inner {
    tls: Tls,
    keyring: Keyring,
    /// Where the keys come from, and what was read there last.
    source: Option<Source>,
}

struct Source {
    path: PathBuf,
    last: Mutex<Result<Keyring, String>>,
    watching: Mutex<Option<JoinHandle<()>>>,
}

/// Why a cluster cannot be secured as a file says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error, which the message includes.
        cause: io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {cause}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        cause: String,
    },
    /// A pattern of servers means nothing.
    #[error(transparent)]
    Servers(#[from] InvalidIdentityPattern),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tls: TlsPart,
    gossip: GossipPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsPart {
    certificate: PathBuf,
    key: PathBuf,
    roots: PathBuf,
    #[serde(default)]
    servers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GossipPart {
    keys: PathBuf,
}

impl Security {
    /// What a file says.
    ///
    /// # Errors
    ///
    /// See [`SecurityError`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecurityError> {
        let path = path.as_ref();
        let read = |cause| SecurityError::Read { path: path.to_owned(), cause };
        let text = std::fs::read_to_string(path).map_err(read)?;
        let syntax = |error: toml::de::Error| SecurityError::Syntax {
            path: path.to_owned(),
            cause: error.to_string(),
        };
        let file: File = toml::from_str(&text).map_err(syntax)?;
        let beside = |relative: &Path| path.parent().unwrap_or(Path::new("")).join(relative);
        let part = file.tls;
        let mut tls = Tls::builder()
            .certificate(beside(&part.certificate), beside(&part.key))
            .roots(beside(&part.roots));
        for pattern in part.servers {
            tls = tls.servers(pattern.parse()?);
        }
        let keys = beside(&file.gossip.keys);
        let keyring = Keyring::from_file(&keys)?;
        let last = Mutex::new(Ok(keyring.copy()));
        let source = Source { path: keys, last, watching: Mutex::new(None) };
        Ok(Self { inner: Arc::new(Inner { tls: tls.build()?, keyring, source: Some(source) }) })
    }

    /// What a program has put together itself.
    pub fn new(tls: Tls, keyring: Keyring) -> Self {
        Self { inner: Arc::new(Inner { tls, keyring, source: None }) }
    }

    /// For the servers and the clients of this process.
    pub fn tls(&self) -> Tls {
        self.inner.tls.clone()
    }

    /// For the gossip of this process.
    pub fn keyring(&self) -> Keyring {
        self.inner.keyring.clone()
    }

    /// Reads certificates and keys at once, rather than within ten seconds. True if something else is used from now on.
    ///
    /// # Errors
    ///
    /// When what there is now cannot be used: what was in use before still is.
    pub fn reload(&self) -> Result<bool, SecurityError> {
        Ok(self.inner.reload_keys()? | self.inner.tls.reload()?)
    }

    /// Looks at the file of keys from now on. TLS looks at its own.
    pub(super) fn watch(&self) {
        let Some(source) = &self.inner.source else { return };
        let mut watching = source.watching.lock();
        // It ends with the runtime it was begun in, of which there may be another by now.
        if watching.as_ref().is_none_or(JoinHandle::is_finished) {
            *watching = Some(tokio::spawn(watch(Arc::downgrade(&self.inner))));
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Security")
            .field("tls", &self.inner.tls)
            .field("keyring", &self.inner.keyring)
            .finish()
    }
}

impl Inner {
    /// Takes the keys of the file, if they are others than those it had before. Keys that a program added or removed by
    /// itself stay as they are until the file changes.
    fn reload_keys(&self) -> Result<bool, KeyError> {
        let Some(source) = &self.source else { return Ok(false) };
        let mut last = source.last.lock();
        let read = Keyring::from_file(&source.path);
        let changed = match (&*last, &read) {
            (Ok(last), Ok(read)) => last.keys() != read.keys(),
            _ => true,
        };
        match read {
            Ok(read) => {
                if changed {
                    self.keyring.replace(&read);
                }
                *last = Ok(read);
                Ok(changed)
            }
            Err(error) => {
                *last = Err(error.to_string());
                Err(error)
            }
        }
    }

    /// Reads the keys again and tells of what happened, once.
    fn reload_and_tell(&self) {
        let before = self.source.as_ref().and_then(|source| source.last.lock().as_ref().err().cloned());
        match self.reload_keys() {
            Ok(true) => tracing::info!(keys = ?self.keyring, "gossip keys reloaded"),
            Ok(false) => {}
            Err(error) if before.is_some_and(|before| before == error.to_string()) => {}
            Err(error) => {
                tracing::warn!(%error, "gossip keys not reloaded: those in use before still are");
            }
        }
    }
}

async fn watch(security: Weak<Inner>) {
    loop {
        tokio::time::sleep(RELOAD_EVERY).await;
        let Some(security) = security.upgrade() else { return };
        // A volume of the network may let a read wait.
        let _ = tokio::task::spawn_blocking(move || security.reload_and_tell()).await;
    }
}
