//! Settings of TLS.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Tls, error::TlsError, material::Sources, pem::Pem};
use crate::transport::{IdentityPattern, Tcp, Transport};

/// What does not change while TLS is used.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) server_name: Option<String>,
    pub(super) servers: Vec<IdentityPattern>,
    pub(super) allow_anonymous: bool,
    pub(super) allow_development: bool,
    pub(super) handshake_timeout: Duration,
    pub(super) handshakes_max: usize,
    pub(super) reload_every: Duration,
}

/// Settings of [`Tls`].
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`handshake_timeout`](Self::handshake_timeout) | 5 s | two round trips across the world, packets lost on each |
/// | [`handshakes_max`](Self::handshakes_max) | 1024 | some 25 MB when all of them are half done |
/// | [`reload_every`](Self::reload_every) | 10 s | three small files; certificates are replaced days before they end |
#[derive(Debug, Clone)]
#[must_use]
pub struct TlsBuilder {
    sources: Sources,
    settings: Settings,
    carrier: Arc<dyn Transport>,
}

impl TlsBuilder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            server_name: None,
            servers: Vec::new(),
            allow_anonymous: false,
            allow_development: false,
            handshake_timeout: Duration::from_secs(5),
            handshakes_max: 1024,
            reload_every: Duration::from_secs(10),
        };
        // What it carries is encrypted, wherever it goes.
        Self { sources: Sources::default(), settings, carrier: Arc::new(Tcp::plaintext()) }
    }

    /// The certificate of this end, followed by those that lead to a root, and its private key. A server needs them; a client
    /// shows them to servers that ask.
    pub fn certificate(mut self, chain: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        self.sources.own = Some((chain.into(), key.into()));
        self
    }

    /// Who issues the certificates of those to trust: a client's servers, and a server's clients, which then must show one.
    pub fn roots(mut self, roots: impl Into<Pem>) -> Self {
        self.sources.roots = Some(roots.into());
        self
    }

    /// Lets clients in without a certificate. They have no [identity](crate::Context::identity); those that show a certificate
    /// must show a valid one.
    pub fn allow_anonymous(mut self) -> Self {
        self.settings.allow_anonymous = true;
        self
    }

    /// The DNS name that servers' certificates must be for, in place of the host in the address.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.settings.server_name = Some(name.into());
        self
    }

    /// The identities that servers may have, whatever the address: in a cluster, workers are reached by IP addresses that are
    /// in no certificate. May be said more than once.
    pub fn servers(mut self, pattern: IdentityPattern) -> Self {
        self.settings.servers.push(pattern);
        self
    }

    /// How long a handshake may take, at a server; over QUIC, which is not told that nobody listens, at a client too.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// How many handshakes may be under way at once, at a listener. With the next, the oldest one is given up.
    pub fn handshakes_max(mut self, handshakes: usize) -> Self {
        self.settings.handshakes_max = handshakes.max(1);
        self
    }

    /// How often files are looked at for changes.
    pub fn reload_every(mut self, interval: Duration) -> Self {
        self.settings.reload_every = interval.max(Duration::from_millis(1));
        self
    }

    /// Lets certificates of development be used beyond the loopback interface. Their keys lie about in a directory of some
    /// build: whoever has read it can be anybody.
    pub fn allow_development_anywhere(mut self) -> Self {
        self.settings.allow_development = true;
        self
    }

    /// Travels over another transport than TCP. Not looked at by QUIC, which is a transport and carries TLS inside.
    pub fn over(mut self, carrier: impl Transport) -> Self {
        self.carrier = Arc::new(carrier);
        self
    }

    /// Reads everything.
    ///
    /// # Errors
    ///
    /// When something cannot be read, is not what it should be, does not fit together or is out of date: see [`TlsError`].
    pub fn build(self) -> Result<Tls, TlsError> {
        self.build_at(SystemTime::now())
    }

    /// Reads everything, for this time.
    pub(super) fn build_at(self, now: SystemTime) -> Result<Tls, TlsError> {
        let Self { sources, settings, carrier } = self;
        if sources.own.is_none() && sources.roots.is_none() {
            return Err(TlsError::Nothing);
        }
        if settings.allow_anonymous && sources.roots.is_none() {
            return Err(TlsError::NobodyAsked);
        }
        Tls::new(sources, settings, carrier, now)
    }
}
