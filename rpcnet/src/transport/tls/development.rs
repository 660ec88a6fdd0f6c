//! Certificates for development, made on the spot.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::{Tls, TlsBuilder, TlsError, material::DEVELOPMENT, pem::Pem};

/// How long a certificate of development is valid.
const VALID_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// A new one is made when less than this is left, so that no session of work sees its end.
const RENEWED_BEFORE: Duration = Duration::from_secs(24 * 3600);

/// Whom the certificate of [`Tls::development`] is for.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Issues certificates for development and tests. What it issues is refused beyond the loopback interface
/// ([`allow_development_anywhere`](TlsBuilder::allow_development_anywhere)).
///
/// ```
/// use rpcnet::transport::tls::{Tls, development::Authority};
///
/// let authority = Authority::new()?;
/// let billing = authority.issue(["spiffe://dev/billing", "localhost"])?;
/// let tls = Tls::builder().certificate(billing.chain, billing.key).roots(authority.roots()).build()?;
/// assert_eq!(tls.identity().unwrap().as_str(), "spiffe://dev/billing");
/// # Ok::<(), rpcnet::transport::tls::TlsError>(())
/// ```
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub chain: Pem,
    /// Its key.
    pub key: Pem,
}

impl Tls {
    /// Mutual TLS on this host in one line: the first process that asks makes a certificate for `localhost` in a directory, and
    /// every other that is given the same directory uses it. Refused beyond the loopback interface.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rpcnet::{Channel, Server, transport::tls::Tls};
    ///
    /// # let folder = std::env::temp_dir().join(format!("rpcnet-doc-tls-{}", std::process::id()));
    /// let tls = Tls::development(&folder)?;
    /// let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) }).transport(tls.clone());
    /// let server = server.bind("127.0.0.1:0").await?;
    /// let channel = Channel::builder(server.address().clone()).transport(tls).lazy();
    /// tokio::spawn(server.serve());
    /// assert_eq!(channel.call("echo", "hello").await?, "hello");
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When the directory cannot be written to or read.
    pub fn development(folder: impl AsRef<Path>) -> Result<Self, TlsError> {
        TlsBuilder::development(folder)?.build()
    }
}

impl TlsBuilder {
    /// The settings of [`Tls::development`], to change.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written to or read.
    pub fn development(folder: impl AsRef<Path>) -> Result<Self, TlsError> {
        let folder = folder.as_ref();
        let made =
            || Tls::builder().certificate(folder.join(CHAIN), folder.join(KEY)).roots(folder.join(ROOTS));
        let lasts = |tls: Tls| tls.status().borrow().expires_in().is_some_and(|left| left > RENEWED_BEFORE);
        if !made().build().is_ok_and(lasts) {
            make(folder)?;
        }
        Ok(made())
    }
}

const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";
const ROOTS: &str = "ca.crt";

/// Makes the files of a directory, all at once: whoever looks in finds all of them or none. The authority's key is kept nowhere.
fn make(folder: &Path) -> Result<(), TlsError> {
    let authority = Authority::new()?;
    let own = authority.issue(LOCAL)?;
    let beside = beside(folder);
    std::fs::create_dir_all(&beside).map_err(unwritten(&beside))?;
    for (name, pem) in [(CHAIN, own.chain), (KEY, own.key), (ROOTS, authority.roots())] {
        write(&beside.join(name), &pem)?;
    }
    if std::fs::rename(&beside, folder).is_ok() {
        return Ok(());
    }
    // There is one: too old, or of another process that came first. Each is as good as this one.
    let old = beside.with_extension("old");
    let replaced = std::fs::rename(folder, &old).and_then(|()| std::fs::rename(&beside, folder));
    let _ = (std::fs::remove_dir_all(&old), std::fs::remove_dir_all(&beside));
    match replaced {
        Err(error) if !folder.join(ROOTS).exists() => Err(unwritten(folder)(error)),
        _ => Ok(()),
    }
}

/// A name beside the directory that is this process's.
fn beside(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{}-{:08x}", std::process::id(), fastrand::u32(..)))
}

fn unwritten(path: &Path) -> impl FnOnce(std::io::Error) -> TlsError {
    |cause| TlsError::Write { path: path.to_owned(), cause }
}

/// Writes a file that only this user can read.
fn write(path: &Path, pem: &Pem) -> Result<(), TlsError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = pem.to_vec()?;
    options.open(path).and_then(|mut file| file.write_all(&text)).map_err(unwritten(path))
}

impl Authority {
    /// A new authority that nobody trusts yet.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn new() -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        // Two authorities are never taken for each other: they differ by more than their keys.
        let name = format!("{DEVELOPMENT}, {:016x}", fastrand::u64(..));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let now = SystemTime::now();
        (params.not_before, params.not_after) = (now.into(), (now + VALID_FOR).into());
        let key = KeyPair::generate().map_err(failed)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key).map_err(failed)?))
    }

    /// What whoever trusts this authority gives as [`roots`](TlsBuilder::roots).
    pub fn roots(&self) -> Pem {
        Pem::bytes(self.0.pem())
    }

    /// A certificate for these names, valid from now on: URIs (with `://`), IP addresses, DNS names.
    ///
    /// # Errors
    ///
    /// When a name cannot be in a certificate.
    pub fn issue<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Issued, TlsError> {
        let now = SystemTime::now();
        self.issue_for(names, now, now + VALID_FOR)
    }

    /// A certificate for these names that is valid at other times: to see what becomes of one that has ended.
    ///
    /// # Errors
    ///
    /// When a name cannot be in a certificate.
    pub fn issue_for<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        since: SystemTime,
        until: SystemTime,
    ) -> Result<Issued, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, DEVELOPMENT);
        params.subject_alt_names = names.into_iter().map(name).collect::<Result<_, _>>()?;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        (params.not_before, params.not_after) = (since.into(), until.into());
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.0).map_err(failed)?;
        Ok(Issued { chain: Pem::bytes(certificate.pem()), key: Pem::bytes(key.serialize_pem()) })
    }
}

fn name(name: &str) -> Result<SanType, TlsError> {
    if let Ok(ip) = name.parse() {
        return Ok(SanType::IpAddress(ip));
    }
    let text = name.try_into().map_err(failed)?;
    Ok(if name.contains("://") { SanType::URI(text) } else { SanType::DnsName(text) })
}

fn failed(error: rcgen::Error) -> TlsError {
    TlsError::Development(error.to_string())
}
