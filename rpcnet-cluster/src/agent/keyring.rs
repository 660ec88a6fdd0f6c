//! The keyring as programs hold it: read, shared with the node, changed while it runs.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

use super::seal::{Key, KeyError, KeyId, Ring};

/// The keys of a cluster's gossip: the *primary* one seals what this node sends, and every one opens what it receives. At
/// most eight.
///
/// Who holds a key is trusted with everything that a node can say; see the book, "Gossip keys". Cheap to clone; clones are
/// one keyring, so a program that keeps one can change the keys of its running node:
///
/// ```
/// use rpcnet_cluster::{ClusterMembership, Key, Keyring};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keyring = Keyring::new(Key::generate()?);
/// let node = ClusterMembership::builder().keyring(&keyring).join().await?;
///
/// // A new key, in three steps; each is done on every node before the next begins.
/// let (old, new) = (keyring.primary(), Key::generate()?);
/// let id = new.id();
/// keyring.add(new)?;          // 1. all can open it
/// keyring.use_primary(id)?;   // 2. all seal with it
/// keyring.remove(old)?;       // 3. nobody takes the old one any more
/// # drop(node);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Keyring {
    ring: Arc<RwLock<Ring>>,
}

impl Keyring {
    /// A keyring of one key, which is its primary.
    pub fn new(primary: Key) -> Self {
        Self { ring: Arc::new(RwLock::new(Ring::new(primary))) }
    }

    /// Reads keys from a file: one a line as for [`Key`]'s `FromStr`, the primary first. Empty lines, and what follows a
    /// `#`, are skipped. Nobody but the node's user should be able to read the file; that is not checked.
    ///
    /// # Errors
    ///
    /// [`KeyError::File`], if the file cannot be read or is no list of one to eight keys.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let failed = |cause| KeyError::File { path: path.as_ref().to_owned(), cause };
        let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(failed)?);
        text.parse().map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Adds a key, which opens from now on and seals nothing yet. A key that is there already is no error.
    ///
    /// # Errors
    ///
    /// [`KeyError::Full`], and, once in four thousand million, [`KeyError::SameId`].
    pub fn add(&self, key: Key) -> Result<(), KeyError> {
        self.ring.write().add(key)
    }

    /// Seals with this key from now on. Nodes that do not hold it cannot read what this one says.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`].
    pub fn use_primary(&self, key: KeyId) -> Result<(), KeyError> {
        self.ring.write().use_primary(key)
    }

    /// Gives up a key: what is sealed with it is refused from now on. Streams that are open already end by themselves.
    ///
    /// # Errors
    ///
    /// [`KeyError::InUse`] for the primary, [`KeyError::Unknown`].
    pub fn remove(&self, key: KeyId) -> Result<(), KeyError> {
        self.ring.write().remove(key)
    }

    /// The key that seals.
    pub fn primary(&self) -> KeyId {
        self.ring.read().primary().id()
    }

    /// Every key, the primary first.
    pub fn keys(&self) -> Vec<KeyId> {
        self.ring.read().ids()
    }

    /// Takes the keys of another keyring in place of its own.
    #[cfg(feature = "tls")]
    pub(super) fn replace(&self, other: &Self) {
        let ring = other.ring.read().clone();
        *self.ring.write() = ring;
    }

    /// Another keyring with the same keys.
    #[cfg(feature = "tls")]
    pub(super) fn copy(&self) -> Self {
        Self { ring: Arc::new(RwLock::new(self.ring.read().clone())) }
    }

    pub(super) fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read()
    }
}

/// As [`from_file`](Keyring::from_file), from a text: an environment variable, say, or a secret store's answer.
impl FromStr for Keyring {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut ring: Option<Ring> = None;
        for (index, line) in text.lines().enumerate() {
            let key = line.split('#').next().unwrap_or_default().trim();
            if key.is_empty() {
                continue;
            }
            let key: Key = key.parse().map_err(|_| KeyError::Line { line: index + 1 })?;
            match &mut ring {
                Some(ring) => ring.add(key)?,
                None => ring = Some(Ring::new(key)),
            }
        }
        let ring = ring.ok_or(KeyError::Empty)?;
        Ok(Self { ring: Arc::new(RwLock::new(ring)) })
    }
}

impl From<&Keyring> for Keyring {
    fn from(keyring: &Keyring) -> Self {
        keyring.clone()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn key(n: u8) -> Key {
        Key::from_bytes([n; 32])
    }

    #[test]
    fn a_key_is_the_same_however_it_is_written_and_anything_else_is_refused_without_being_repeated() {
        let known = Key::from_bytes(std::array::from_fn(|n| n as u8));
        for text in [HEX, BASE64, BASE64.trim_end_matches('='), &format!("\t{HEX}\n")] {
            assert_eq!(text.parse::<Key>().unwrap(), known, "{text}");
        }
        for text in ["", "secret", &HEX[1..], &HEX.replace('0', "g"), &BASE64.replace('A', "-")] {
            let error = text.parse::<Key>().unwrap_err().to_string();
            assert!(error.contains("32 random bytes"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn nothing_that_is_printed_shows_a_key() {
        let (ring, text) = (Keyring::new(key(0xab)), |ring: &Keyring| format!("{ring:?} {:?}", key(0xab)));
        assert_eq!(text(&ring), format!("Keyring([{id}]) Key({id})", id = key(0xab).id()));
        assert_ne!(key(0xab).id().to_string(), "abababab");
    }

    #[test]
    fn the_first_key_of_a_list_is_the_primary_and_a_mistake_is_named_by_its_line() {
        let ring: Keyring = format!("# the new one\n\n {HEX} # since May\n{BASE64}\n").parse().unwrap();
        assert_eq!(ring.keys(), [HEX.parse::<Key>().unwrap().id()], "the same key twice is one");
        let error = format!("{HEX}\nnonsense").parse::<Keyring>().unwrap_err();
        assert!(matches!(error, KeyError::Line { line: 2 }), "{error}");
        assert!(matches!(" # none\n".parse::<Keyring>(), Err(KeyError::Empty)));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_what_is_wrong() {
        let dir = std::env::temp_dir().join(format!("rpcnet-keys-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&dir).unwrap();
        let path = dir.join("keys");
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        std::fs::write(&path, "x").unwrap();
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
        std::fs::write(&path, HEX).unwrap();
        assert_eq!(Keyring::from_file(&path).unwrap().keys().len(), 1);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_primary_cannot_be_removed_and_the_ring_is_bounded() {
        let ring = Keyring::new(key(0));
        let (first, second) = (key(0).id(), key(1).id());
        assert!(matches!(ring.use_primary(second), Err(KeyError::Unknown { id }) if id == second));
        ring.add(key(1)).unwrap();
        assert!(matches!(ring.remove(first), Err(KeyError::InUse { id }) if id == first));
        ring.use_primary(second).unwrap();
        assert_eq!(ring.keys(), [second, first]);
        ring.remove(first).unwrap();
        assert!(matches!(ring.remove(first), Err(KeyError::Unknown { .. })));
        (2..9).for_each(|n| ring.add(key(n)).unwrap());
        assert!(matches!(ring.add(key(9)), Err(KeyError::Full)));
        ring.add(key(8)).expect("it is there");
        assert_eq!((ring.primary(), ring.keys().len()), (second, 8));
    }
}
