//! TLS 1.3 with identities: who is at the other end is known, and nobody in between reads or changes anything.

mod acceptor;
mod builder;
pub(in crate::transport) mod certificate;
#[cfg(feature = "development")]
pub mod development;
pub(in crate::transport) mod error;
pub(in crate::transport) mod handshakes;
mod material;
mod pem;
#[cfg(feature = "quic")]
pub(in crate::transport) mod quic;
mod reload;
mod stream;
#[cfg(all(test, feature = "development"))]
mod tests;
mod verify;

use std::{fmt, io, net::IpAddr, sync::Arc, time::SystemTime};

use parking_lot::{Mutex, RwLock};
use rustls::{ClientConfig, ServerConfig, crypto::CryptoProvider, pki_types::ServerName};
use tokio::{sync::watch, task::JoinHandle};
use tokio_rustls::TlsConnector;

use self::{
    builder::Settings,
    error::explain,
    material::{Material, Sources},
    reload::Last,
    stream::Encrypted,
};
pub use self::{
    builder::TlsBuilder,
    error::TlsError,
    pem::{Origin, Pem},
    reload::TlsStatus,
};
use super::{Address, BoxFuture, BoxStream, Identity, Listener, Transport};

/// TLS 1.3 over TCP, for servers and for clients.
///
/// With a certificate and roots it is mutual: servers know their clients too, and handlers find who calls in
/// [`Context::identity`](crate::Context::identity). Files are read again when they change, by both ends; connections that are
/// open stay.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{Channel, Server, transport::tls::Tls};
///
/// let tls = Tls::mutual("/etc/tls/tls.crt", "/etc/tls/tls.key", "/etc/tls/ca.crt")?;
/// let server = Server::builder()
///     .register("echo", |bytes| async move { Ok(bytes) })
///     .transport(tls.clone())
///     .bind("0.0.0.0:7000")
///     .await?;
///
/// let channel = Channel::builder("echo.internal:7000").transport(tls).connect().await?;
/// # Ok(()) }
/// ```
///
/// # What is made sure of
///
/// - A client talks to a server whose certificate its roots have issued, and that is for the host in the address, for
///   [`server_name`](TlsBuilder::server_name), or for one of the identities in [`servers`](TlsBuilder::servers).
/// - A server with roots serves clients whose certificate those have issued; without roots it serves everybody, encrypted.
/// - TLS 1.3 only. No session is resumed and no early data accepted: each connection shows its certificates.
/// - Revocation lists are not looked at. Certificates that live for a day make do without; a root that is taken out of the file
///   ends new connections at once.
#[derive(Debug, Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    sources: Sources,
    settings: Settings,
    carrier: Arc<dyn Transport>,
    provider: Arc<CryptoProvider>,
    /// What handshakes use.
    material: RwLock<Arc<Material>>,
    last: Mutex<Last>,
    status: watch::Sender<TlsStatus>,
    /// What looks at the files, once there is a runtime.
    watching: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sources, settings, carrier, .. } = self;
        let mut debug = f.debug_struct("Tls");
        debug.field("sources", sources).field("settings", settings).field("carrier", carrier);
        debug.finish_non_exhaustive()
    }
}

impl Tls {
    /// Settings, one by one.
    pub fn builder() -> TlsBuilder {
        TlsBuilder::new()
    }

    /// Mutual TLS: the certificate of this end and its key, and who issues everybody's.
    ///
    /// # Errors
    ///
    /// See [`TlsError`].
    pub fn mutual(
        chain: impl Into<Pem>,
        key: impl Into<Pem>,
        roots: impl Into<Pem>,
    ) -> Result<Self, TlsError> {
        Self::builder().certificate(chain, key).roots(roots).build()
    }

    fn new(
        sources: Sources,
        settings: Settings,
        carrier: Arc<dyn Transport>,
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        // Named, and not the process's: two crates that disagree about that one make it panic.
        let provider = Arc::new(provider());
        let texts = sources.read()?;
        let material = Material::new(&texts, &settings, &provider, now)?;
        let status = TlsStatus { expires_at: material.expires_at, ..TlsStatus::default() };
        let inner = Inner {
            sources,
            settings,
            carrier,
            provider,
            material: RwLock::new(Arc::new(material)),
            last: Mutex::new(Last::Read(texts)),
            status: watch::Sender::new(status),
            watching: Mutex::new(None),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads the files at once, rather than within [`reload_every`](TlsBuilder::reload_every). True if something else is used
    /// from now on.
    ///
    /// # Errors
    ///
    /// When what there is now cannot be used: what was in use before still is.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.inner.reload()
    }

    /// Until when the certificate is valid and what became of the last change: now, and whenever it changes.
    pub fn status(&self) -> watch::Receiver<TlsStatus> {
        self.inner.status.subscribe()
    }

    /// Whom this end's certificate is for.
    pub fn identity(&self) -> Option<Identity> {
        self.inner.current().identity.clone()
    }
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "aws-lc-rs"))]
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

impl Inner {
    fn current(&self) -> Arc<Material> {
        Arc::clone(&self.material.read())
    }

    /// Looks at the files from now on, if there are any.
    fn watch(self: &Arc<Self>) {
        if !self.sources.has_files() {
            return;
        }
        let mut watching = self.watching.lock();
        // It ends with the runtime it was begun in, of which there may be another by now.
        if watching.as_ref().is_none_or(JoinHandle::is_finished) {
            *watching = Some(tokio::spawn(reload::watch(Arc::downgrade(self), self.settings.reload_every)));
        }
    }

    /// What is made for development stays on this host.
    fn check_development(&self, material: &Material, address: &Address) -> io::Result<()> {
        if !material.development || self.settings.allow_development || is_loopback(address) {
            return Ok(());
        }
        let message = format!(
            "{address} is not on the loopback interface, and these certificates are for development: whoever reads their \
             keys can be anybody; use others, or say `allow_development_anywhere()`"
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    }

    /// The name that the certificate of a server must be for.
    fn server_name(&self, address: &Address) -> io::Result<ServerName<'static>> {
        if !self.settings.servers.is_empty() {
            // Not looked at.
            return Ok(ServerName::IpAddress(IpAddr::from([127, 0, 0, 1]).into()));
        }
        let name = match (&self.settings.server_name, address.socket_addr()) {
            (Some(name), _) => name.clone(),
            (None, Some(addr)) => return Ok(ServerName::IpAddress(addr.ip().into())),
            (None, None) => address.host().ok_or_else(|| error::nameless(address))?.to_owned(),
        };
        ServerName::try_from(name).map_err(|_| error::nameless(address))
    }

    /// What a client's handshake uses now.
    fn client(
        &self,
        material: &Material,
        to: &Address,
    ) -> io::Result<(Arc<ClientConfig>, ServerName<'static>)> {
        let config = material.client.clone().ok_or_else(|| error::lacks("roots", "a client"))?;
        self.check_development(material, to)?;
        Ok((config, self.server_name(to)?))
    }

    /// What a server's handshakes use now.
    fn server(&self, at: &Address) -> io::Result<Arc<ServerConfig>> {
        let material = self.current();
        let config = material.server.clone().ok_or_else(|| error::lacks("certificate", "a server"))?;
        self.check_development(&material, at)?;
        Ok(config)
    }

    async fn connect(&self, to: &Address) -> io::Result<BoxStream> {
        let (config, name) = self.client(&self.current(), to)?;
        let stream = self.carrier.connect(to).await?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        let stream = stream.map_err(|error| explain(error, "with", to))?;
        if stream.get_ref().1.alpn_protocol().is_none() {
            let message = format!("TLS with {to}: it does not say that it speaks RpcNet's protocol");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(Box::new(Encrypted::new(stream, to.clone())))
    }

    async fn listen(self: &Arc<Self>, at: &Address) -> io::Result<Box<dyn Listener>> {
        self.server(at)?;
        let listener = self.carrier.listen(at).await?;
        Ok(Box::new(acceptor::Accepting::new(listener, Arc::clone(self))))
    }
}

fn is_loopback(address: &Address) -> bool {
    match address.socket_addr() {
        Some(addr) => addr.ip().is_loopback(),
        None => address.host() == Some("localhost") || address.unix_name().is_some(),
    }
}

impl Transport for Tls {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        self.inner.watch();
        Box::pin(self.inner.connect(to))
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        self.inner.watch();
        Box::pin(self.inner.listen(at))
    }
}
