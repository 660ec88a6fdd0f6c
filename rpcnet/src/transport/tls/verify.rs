//! Servers known by their identity, not by the name in an address.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::certificate;
use crate::transport::IdentityPattern;

/// Accepts a server whose certificate a root has issued and whose identity matches a pattern, at whatever address it is.
///
/// In a cluster a worker is reached by an IP address that nobody knew when its certificate was issued. What has to be made
/// sure of is that it is a worker.
#[derive(Debug)]
pub(super) struct ByIdentity {
    roots: Arc<RootCertStore>,
    servers: Vec<IdentityPattern>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The certificate is valid, and somebody else's.
#[derive(Debug, thiserror::Error)]
#[error("is that of {whose}, which is none of the `servers` this end expects ({})", list(servers))]
struct SomebodyElse {
    whose: String,
    servers: Vec<IdentityPattern>,
}

fn list(servers: &[IdentityPattern]) -> String {
    servers.iter().map(IdentityPattern::to_string).collect::<Vec<_>>().join(", ")
}

impl ByIdentity {
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        servers: Vec<IdentityPattern>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { roots, servers, algorithms }
    }
}

impl ServerCertVerifier for ByIdentity {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let whose = match certificate::identity(certificate) {
            Ok(Some(identity)) if self.servers.iter().any(|pattern| pattern.matches(&identity)) => {
                return Ok(ServerCertVerified::assertion());
            }
            Ok(Some(identity)) => identity.to_string(),
            Ok(None) => "nobody".to_owned(),
            Err(count) => format!("{count} URIs"),
        };
        let error = SomebodyElse { whose, servers: self.servers.clone() };
        Err(CertificateError::Other(OtherError(Arc::new(error))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
