//! What calls go over, and the certificates of the links that need some.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rpcnet::transport::tls::{Pem, Tls, development::Authority};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::TLS13,
};

use crate::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    Tcp,
    Tls,
    Quic,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "",
            Self::Tls => "-tls",
            Self::Quic => "-quic",
        })
    }
}

/// A folder with a certificate that every process uses, gone with this.
pub(crate) struct Certificates(PathBuf);

const CHAIN: &str = "chain.pem";
const KEY: &str = "key.pem";
const ROOTS: &str = "roots.pem";

impl Certificates {
    pub(crate) fn make() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("rpcnet-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let made = Self(folder);
        let authority = Authority::new()?;
        let own = authority.issue(["127.0.0.1"])?;
        for (name, pem) in [(CHAIN, own.chain), (KEY, own.key), (ROOTS, authority.roots())] {
            fs::write(made.0.join(name), pem.to_vec()?)?;
        }
        Ok(made)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        // Nothing depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// TLS as RpcNet is set up with it.
pub(crate) fn tls(folder: &Path) -> Result<Tls, Failure> {
    let pem = |name| Pem::file(folder.join(name));
    Ok(Tls::mutual(pem(CHAIN), pem(KEY), pem(ROOTS))?)
}

/// TLS of a server as one would set it up by hand.
pub(crate) fn acceptor(folder: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let chain = CertificateDer::pem_file_iter(folder.join(CHAIN))?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// TLS of a client as one would set it up by hand.
pub(crate) fn connector(folder: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join(ROOTS))?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
