//! What is wrong with a server's certificate, kept for who asks: from a handshake of QUIC only a text comes back.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Why a certificate was not accepted, once it was not.
pub(super) type Refusal = Arc<Mutex<Option<Error>>>;

/// Does what another does, and remembers why it refused.
#[derive(Debug)]
pub(super) struct Remembering {
    verifier: Arc<dyn ServerCertVerifier>,
    refusal: Refusal,
}

impl Remembering {
    pub(super) fn new(verifier: Arc<dyn ServerCertVerifier>) -> (Arc<Self>, Refusal) {
        let refusal = Refusal::default();
        (Arc::new(Self { verifier, refusal: Arc::clone(&refusal) }), refusal)
    }
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(certificate, intermediates, name, ocsp, now);
        verified.inspect_err(|error| *self.refusal.lock() = Some(error.clone()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
