//! What QUIC, which has TLS inside, needs of it.

use std::{io, sync::Arc, time::Duration};

use rustls::{ClientConfig, ServerConfig, client::danger::ServerCertVerifier};

use super::{Tls, error};
use crate::transport::Address;

/// What one handshake of a client uses.
#[derive(Clone)]
pub(in crate::transport) struct Dialing {
    pub(in crate::transport) config: Arc<ClientConfig>,
    /// The one in the settings, for who wants to know what it says.
    pub(in crate::transport) verifier: Arc<dyn ServerCertVerifier>,
    /// The name that the server's certificate must be for.
    pub(in crate::transport) name: String,
}

impl Tls {
    /// What a client's handshake uses now. From the first time on, files are looked at.
    pub(in crate::transport) fn dialing(&self, to: &Address) -> io::Result<Dialing> {
        self.inner.watch();
        let material = self.inner.current();
        let (config, name) = self.inner.client(&material, to)?;
        let verifier = material.verifier.clone().ok_or_else(|| error::lacks("roots", "a client"))?;
        Ok(Dialing { config, verifier, name: name.to_str().into_owned() })
    }

    /// What a server's handshakes use now. From the first time on, files are looked at.
    pub(in crate::transport) fn serving(&self, at: &Address) -> io::Result<Arc<ServerConfig>> {
        self.inner.watch();
        self.inner.server(at)
    }

    pub(in crate::transport) fn handshake_timeout(&self) -> Duration {
        self.inner.settings.handshake_timeout
    }

    pub(in crate::transport) fn handshakes_max(&self) -> usize {
        self.inner.settings.handshakes_max
    }
}
