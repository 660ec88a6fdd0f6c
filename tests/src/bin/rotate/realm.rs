//! The files of both ends, and the authorities that follow each other.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rpcnet::transport::tls::{
    Pem, Tls, TlsError,
    development::{Authority, Issued},
};

/// How often the ends look at their files.
const RELOAD_EVERY: Duration = Duration::from_millis(20);

/// The ends and the names in their certificates.
const ENDS: [(&str, [&str; 2]); 2] = [
    ("server", ["spiffe://rotate/server", "127.0.0.1"]),
    ("client", ["spiffe://rotate/client", "127.0.0.1"]),
];

/// A directory of certificates, gone with this.
pub(crate) struct Realm {
    folder: PathBuf,
    authority: Authority,
}

/// A change of the files that everybody must have seen before the next.
pub(crate) struct Step {
    number: u64,
    own: Vec<Issued>,
    roots: Vec<u8>,
}

impl Realm {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let folder = std::env::temp_dir().join(format!("rpcnet-rotate-{}", std::process::id()));
        let realm = Self { folder, authority: Authority::new()? };
        for (end, _) in ENDS {
            std::fs::create_dir_all(realm.folder.join(end))?;
        }
        Step { number: 0, own: issue(&realm.authority)?, roots: realm.authority.roots().to_vec()? }
            .take(&realm)?;
        Ok(realm)
    }

    /// TLS of an end, by its files.
    pub(crate) fn end(&self, end: &str) -> Result<Tls, TlsError> {
        let file = |name| self.folder.join(end).join(name);
        let tls = Tls::builder().certificate(file("tls.crt"), file("tls.key")).roots(file("ca.crt"));
        tls.reload_every(RELOAD_EVERY).build()
    }

    /// A client that keeps the certificate it has now, and trusts everybody there will be.
    pub(crate) fn stale_client(&self) -> Result<Tls, TlsError> {
        let [_, (_, names)] = ENDS;
        let own = self.authority.issue(names)?;
        let roots = self.folder.join("client").join("ca.crt");
        Tls::builder().certificate(own.chain, own.key).roots(roots).reload_every(RELOAD_EVERY).build()
    }

    /// The way to a new authority.
    pub(crate) fn rotate(&mut self) -> Result<[Step; 3], TlsError> {
        let next = Authority::new()?;
        let (old, new) = (self.authority.roots().to_vec()?, next.roots().to_vec()?);
        let both = [old, new.clone()].concat();
        let steps = [
            Step { number: 1, own: issue(&self.authority)?, roots: both.clone() },
            Step { number: 2, own: issue(&next)?, roots: both },
            Step { number: 3, own: issue(&next)?, roots: new },
        ];
        self.authority = next;
        Ok(steps)
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn issue(authority: &Authority) -> Result<Vec<Issued>, TlsError> {
    ENDS.iter().map(|(_, names)| authority.issue(*names)).collect()
}

impl Step {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Replaces the files of both ends.
    pub(crate) fn take(&self, realm: &Realm) -> Result<(), Box<dyn std::error::Error>> {
        for ((end, _), own) in ENDS.iter().zip(&self.own) {
            let folder = realm.folder.join(end);
            replace(&folder, "tls.crt", &own.chain)?;
            replace(&folder, "tls.key", &own.key)?;
            replace(&folder, "ca.crt", &Pem::bytes(&self.roots))?;
        }
        Ok(())
    }
}

/// Writes a file beside the old one and puts it in its place.
fn replace(folder: &Path, name: &str, pem: &Pem) -> Result<(), Box<dyn std::error::Error>> {
    let beside = folder.join(format!("{name}.new"));
    let text = pem.to_vec()?;
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, folder.join(name)))
        .map_err(|error: io::Error| error.into())
}
