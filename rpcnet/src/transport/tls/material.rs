//! From files to what a handshake needs: read, checked, and only then used.

use std::{sync::Arc, time::SystemTime};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::CertificateDer,
    server::WebPkiClientVerifier,
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};

use super::{
    builder::Settings,
    certificate,
    error::TlsError,
    pem::{Pem, Text},
    verify::ByIdentity,
};
use crate::transport::Identity;

/// What both ends say they want to speak, so that a connection cannot be taken for one of another protocol (RFC 7301).
const PROTOCOL: &[u8] = b"rpcnet/1";

/// Where everything is read from.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources {
    /// This end's certificate, with those that lead to a root, and its key.
    pub(super) own: Option<(Pem, Pem)>,
    pub(super) roots: Option<Pem>,
}

/// What was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Texts {
    own: Option<(Text, Text)>,
    roots: Option<Text>,
}

/// What handshakes use until something else was read.
#[derive(Debug)]
pub(super) struct Material {
    /// For who connects; with roots only.
    pub(super) client: Option<Arc<ClientConfig>>,
    /// What of it says whether a server is the right one.
    #[cfg(feature = "quic")]
    pub(super) verifier: Option<Arc<dyn ServerCertVerifier>>,
    /// For who accepts; with a certificate only.
    pub(super) server: Option<Arc<ServerConfig>>,
    /// Whom this end's certificate is for.
    pub(super) identity: Option<Identity>,
    /// When the first certificate of the chain ends.
    pub(super) expires_at: Option<SystemTime>,
    /// Whether any of it was made for development.
    pub(super) development: bool,
}

impl Sources {
    /// Whether anything of it can change.
    pub(super) fn has_files(&self) -> bool {
        let own = self.own.iter().flat_map(|(certificate, key)| [certificate, key]);
        own.chain(&self.roots).any(Pem::is_file)
    }

    pub(super) fn read(&self) -> Result<Texts, TlsError> {
        let own = match &self.own {
            Some((certificate, key)) => Some((certificate.read()?, key.read()?)),
            None => None,
        };
        Ok(Texts { own, roots: self.roots.as_ref().map(Pem::read).transpose()? })
    }
}

/// The certificate of this end and its key, checked.
struct Own {
    key: Arc<CertifiedKey>,
    identity: Option<Identity>,
    until: SystemTime,
    development: bool,
}

impl Material {
    pub(super) fn new(
        texts: &Texts,
        settings: &Settings,
        provider: &Arc<CryptoProvider>,
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let own = texts.own.as_ref().map(|(chain, key)| Own::new(chain, key, provider, now)).transpose()?;
        let roots = texts.roots.as_ref().map(roots).transpose()?;
        let development = own.as_ref().is_some_and(|own| own.development)
            || roots.as_ref().is_some_and(|(_, development)| *development);
        let roots = roots.map(|(roots, _)| Arc::new(roots));
        let verifier = roots.as_ref().map(|roots| verifier(roots, settings, provider));
        Ok(Self {
            client: verifier.as_ref().map(|verifier| client(own.as_ref(), verifier, provider)),
            #[cfg(feature = "quic")]
            verifier,
            server: own.as_ref().map(|own| server(own, roots.as_ref(), settings, provider)),
            identity: own.as_ref().and_then(|own| own.identity.clone()),
            expires_at: own.map(|own| own.until),
            development,
        })
    }
}

impl Own {
    fn new(
        chain: &Text,
        key: &Text,
        provider: &Arc<CryptoProvider>,
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let certificates = chain.certificates()?;
        let until = valid_until(chain, &certificates, now)?;
        let leaf = &certificates[0];
        let identity = certificate::identity(leaf)
            .map_err(|count| TlsError::Ambiguous { origin: chain.origin.clone(), count })?;
        let development = certificate::mentions(leaf, DEVELOPMENT);
        let key =
            CertifiedKey::from_der(certificates, key.key()?, provider).map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    TlsError::OtherKey { certificate: chain.origin.clone(), key: key.origin.clone() }
                }
                rustls::Error::InvalidCertificate(_) => chain.unreadable("certificate", error),
                error => key.unreadable("private key", error),
            })?;
        Ok(Self { key: Arc::new(key), identity, until, development })
    }
}

/// What the name of everything made for development contains.
pub(super) const DEVELOPMENT: &str = "RpcNet development only";

/// When the first of a chain ends, all of which must be valid now.
fn valid_until(
    chain: &Text,
    certificates: &[CertificateDer<'static>],
    now: SystemTime,
) -> Result<SystemTime, TlsError> {
    let mut first = None;
    for certificate in certificates {
        let (since, until) =
            certificate::validity(certificate).map_err(|error| chain.unreadable("certificate", error))?;
        if !(since..=until).contains(&now) {
            return Err(TlsError::OutOfDate { origin: chain.origin.clone(), since, until });
        }
        first = Some(first.map_or(until, |first: SystemTime| first.min(until)));
    }
    Ok(first.expect("a chain has at least one certificate"))
}

/// Whom to trust, and whether it is somebody of development.
fn roots(text: &Text) -> Result<(RootCertStore, bool), TlsError> {
    let (mut roots, mut development) = (RootCertStore::empty(), false);
    for certificate in text.certificates()? {
        development |= certificate::mentions(&certificate, DEVELOPMENT);
        roots.add(certificate).map_err(|error| text.unreadable("root certificate", error))?;
    }
    Ok((roots, development))
}

/// Says whether a server is the right one: by the name in its address, or by its identity.
fn verifier(
    roots: &Arc<RootCertStore>,
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    let (roots, provider) = (Arc::clone(roots), Arc::clone(provider));
    if settings.servers.is_empty() {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        return verifier.expect("there are roots, and no revocation lists");
    }
    let algorithms = provider.signature_verification_algorithms;
    Arc::new(ByIdentity::new(roots, settings.servers.clone(), algorithms))
}

fn client(
    own: Option<&Own>,
    verifier: &Arc<dyn ServerCertVerifier>,
    provider: &Arc<CryptoProvider>,
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3");
    // Rustls calls every verifier dangerous but for its own, which is among these.
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(verifier));
    let mut config = match own {
        Some(own) => {
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&own.key))))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Each connection shows its certificates anew, and none carries early data, which somebody in between could repeat.
    // Connections are few and last; what that costs is half a millisecond each.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

fn server(
    own: &Own,
    roots: Option<&Arc<RootCertStore>>,
    settings: &Settings,
    provider: &Arc<CryptoProvider>,
) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has TLS 1.3");
    let builder = match roots {
        Some(roots) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider));
            let verifier = if settings.allow_anonymous { verifier.allow_unauthenticated() } else { verifier };
            builder.with_client_cert_verifier(
                verifier.build().expect("there are roots, and no revocation lists"),
            )
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&own.key))));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Arc::new(config)
}
