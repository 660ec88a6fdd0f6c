//! A gossip key: 32 secret bytes, and the short name under which packets speak of it.

use std::fmt;
use std::str::FromStr;

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::{Zeroize, Zeroizing};

use super::KeyError;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce of XChaCha20-Poly1305.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes by which a sealed text is longer than the plain one.
pub(crate) const TAG_BYTES: usize = 16;
/// What a key authenticates, once and under the nonce of zeroes, to get its name. No packet has that nonce: theirs are
/// drawn from 192 bits.
const NAMED: &[u8] = b"rpcnet-cluster key id";

/// A secret key of a cluster. All its nodes hold the same; see [`Keyring`](crate::Keyring).
///
/// `Debug` prints its [`KeyId`], never the key, and the bytes are wiped when it is dropped. (Copies that a program makes
/// before it hands them over are the program's to wipe.)
///
/// ```
/// use rpcnet_cluster::Key;
///
/// let key: Key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse()?;
/// assert_eq!(key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?);
/// assert_eq!(format!("{key:?}"), format!("Key({})", key.id()));
/// # Ok::<(), rpcnet_cluster::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key {
    /// Holds the bytes, and wipes them.
    cipher: XChaCha20Poly1305,
    /// Equal for equal keys only, and says nothing else about them.
    fingerprint: [u8; TAG_BYTES],
}

/// The public name of a key: four bytes that every packet sealed with it carries in the clear. They cannot be turned
/// back into the key.
///
/// ```
/// use rpcnet_cluster::Key;
///
/// let key: Key = "1f".repeat(32).parse()?;
/// // For logs, and for telling which keys a node holds: the key itself cannot be had from it.
/// println!("{}", key.id());
/// # Ok::<(), rpcnet_cluster::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl Key {
    /// A key of 32 bytes. They must be random: a password is not a key.
    pub fn from_bytes(mut bytes: [u8; KEY_BYTES]) -> Self {
        let cipher = XChaCha20Poly1305::new((&bytes).into());
        bytes.zeroize();
        let mut key = Self { cipher, fingerprint: [0; TAG_BYTES] };
        key.fingerprint = key.seal(&[0; NONCE_BYTES], NAMED, &mut []);
        key
    }

    /// A new random key.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(&mut *bytes).map_err(|error| KeyError::Random { cause: error.into() })?;
        Ok(Self::from_bytes(*bytes))
    }

    /// The key's public name.
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, ..] = self.fingerprint;
        KeyId(u32::from_be_bytes([a, b, c, d]))
    }

    /// Encrypts `text` in place and authenticates it together with `associated`; returns the tag.
    pub(super) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let tag = self.cipher.encrypt_inout_detached(nonce.into(), associated, text.into());
        tag.expect("fails beyond 256 GiB, far above any message").into()
    }

    /// Decrypts `text` in place; `false` if it, the tag, the nonce or `associated` is not as it was sealed.
    #[must_use]
    pub(super) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> bool {
        self.cipher.decrypt_inout_detached(nonce.into(), associated, text.into(), tag.into()).is_ok()
    }
}

/// 64 hexadecimal digits, or base64 with or without padding.
impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim().as_bytes();
        let encoding = match text.len() {
            64 => HEXLOWER_PERMISSIVE,
            44 => BASE64,
            43 => BASE64_NOPAD,
            _ => return Err(KeyError::Text),
        };
        let bytes = Zeroizing::new(encoding.decode(text).map_err(|_| KeyError::Text)?);
        let bytes: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| KeyError::Text)?;
        Ok(Self::from_bytes(bytes))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl KeyId {
    pub(super) fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
