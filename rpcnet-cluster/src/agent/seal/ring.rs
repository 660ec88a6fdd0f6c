//! The keys a node holds: one seals, each opens.

use std::sync::Arc;

use super::{Key, KeyError, KeyId};

/// Keys held at once: rotation needs two; eight survive some rotations that nobody finished.
pub(crate) const KEYS_MAX: usize = 8;

/// Invariant: never empty, at most [`KEYS_MAX`] keys, no two with one id; the first is the primary.
#[derive(Clone, Debug)]
pub(crate) struct Ring(Vec<Arc<Key>>);

impl Ring {
    pub(crate) fn new(primary: Key) -> Self {
        Self(vec![Arc::new(primary)])
    }

    pub(crate) fn add(&mut self, key: Key) -> Result<(), KeyError> {
        match self.find(key.id()) {
            Some(held) if **held == key => return Ok(()),
            Some(_) => return Err(KeyError::SameId { id: key.id() }),
            None if self.0.len() >= KEYS_MAX => return Err(KeyError::Full),
            None => {}
        }
        self.0.push(Arc::new(key));
        Ok(())
    }

    pub(crate) fn use_primary(&mut self, id: KeyId) -> Result<(), KeyError> {
        let place = self.place(id)?;
        self.0[..=place].rotate_right(1);
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: KeyId) -> Result<(), KeyError> {
        match self.place(id)? {
            0 => Err(KeyError::InUse { id }),
            place => {
                self.0.remove(place);
                Ok(())
            }
        }
    }

    pub(crate) fn primary(&self) -> &Arc<Key> {
        self.0.first().expect("a ring is never empty: it begins with a primary, which cannot be removed")
    }

    /// The one key that a packet of this id can be opened with: what a forged packet costs is bounded by that.
    pub(crate) fn find(&self, id: KeyId) -> Option<&Arc<Key>> {
        self.0.iter().find(|key| key.id() == id)
    }

    pub(crate) fn ids(&self) -> Vec<KeyId> {
        self.0.iter().map(|key| key.id()).collect()
    }

    fn place(&self, id: KeyId) -> Result<usize, KeyError> {
        self.0.iter().position(|key| key.id() == id).ok_or(KeyError::Unknown { id })
    }
}
