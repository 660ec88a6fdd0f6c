//! What a node says about itself, held small enough that the whole record fits one datagram.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::limits::{LABEL_BYTES_MAX, TAG_KEY_BYTES_MAX, TAGS_BYTES_MAX, TAGS_MAX};

/// The tag of a node whose server takes its leave, whatever its value: registries hand out no new calls to it. Set by
/// [`ClusterMembership::drain`](crate::ClusterMembership::drain); an operator may set it to take a worker out of use, and remove
/// it again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, membership::DRAINING_TAG};
///
/// // Out of use for a while, and it goes on serving the calls it has.
/// let node = ClusterMembership::builder().join().await?;
/// node.set_tag(DRAINING_TAG, "maintenance").await?;
/// node.remove_tag(DRAINING_TAG).await;
/// # Ok(()) }
/// ```
pub const DRAINING_TAG: &str = "rpcnet.draining";

/// Why a label or a tag was refused. The caller's fault; nothing was changed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, TagError};
///
/// let node = ClusterMembership::builder().join().await?;
/// assert_eq!(node.set_tag("", "worker").await, Err(TagError::EmptyKey));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TagError {
    /// A tag without a name cannot be selected.
    #[error("a tag needs a key")]
    EmptyKey,
    /// The key alone is over its limit.
    #[error("the tag key `{key}` has {bytes} bytes, the limit is {TAG_KEY_BYTES_MAX}")]
    KeyTooLong {
        /// The key.
        key: String,
        /// Its length.
        bytes: usize,
    },
    /// All tags together would not fit a gossip datagram any more.
    #[error(
        "with the tag `{key}` all tags together have {bytes} bytes, the limit is {TAGS_BYTES_MAX}: a node's tags are \
         gossiped in one datagram, keep larger things elsewhere and put their address here"
    )]
    TooLarge {
        /// The key that was to be set.
        key: String,
        /// What the sum would have been.
        bytes: usize,
    },
    /// Too many tags.
    #[error("a node has at most {TAGS_MAX} tags")]
    TooMany,
    /// This node has left the cluster, or its task has ended: there is nobody to tell.
    #[error("this node is not a member any more")]
    NotRunning,
    /// The label is over its limit.
    #[error("the label has {bytes} bytes, the limit is {LABEL_BYTES_MAX}")]
    LabelTooLong {
        /// Its length.
        bytes: usize,
    },
}

/// A node's tags and how often its owner has changed them in this generation.
///
/// Ordered by version first, so that the larger of two is the newer one and merging is taking the maximum.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tags {
    pub(crate) version: u64,
    pub(crate) map: Arc<BTreeMap<String, String>>,
}

impl Tags {
    /// Sets one tag; `Ok(false)` when it had that value already.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<bool, TagError> {
        if self.map.get(key).is_some_and(|held| held == value) {
            return Ok(false);
        }
        let mut map = BTreeMap::clone(&self.map);
        map.insert(key.to_owned(), value.to_owned());
        check(&map, key)?;
        self.replace(map);
        Ok(true)
    }

    /// Removes one tag; `false` when there was none.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        if !self.map.contains_key(key) {
            return false;
        }
        let mut map = BTreeMap::clone(&self.map);
        map.remove(key);
        self.replace(map);
        true
    }

    fn replace(&mut self, map: BTreeMap<String, String>) {
        self.map = Arc::new(map);
        self.version += 1;
    }
}

/// Whether the tags are within their budget; `key` names the one to blame.
fn check(map: &BTreeMap<String, String>, key: &str) -> Result<(), TagError> {
    if key.is_empty() {
        return Err(TagError::EmptyKey);
    }
    if key.len() > TAG_KEY_BYTES_MAX {
        return Err(TagError::KeyTooLong { key: key.to_owned(), bytes: key.len() });
    }
    if map.len() > TAGS_MAX {
        return Err(TagError::TooMany);
    }
    let bytes = bytes_of(map);
    if bytes > TAGS_BYTES_MAX {
        return Err(TagError::TooLarge { key: key.to_owned(), bytes });
    }
    Ok(())
}

/// Size of the tags as counted against the budget.
pub(crate) fn bytes_of(map: &BTreeMap<String, String>) -> usize {
    map.iter().map(|(key, value)| key.len() + value.len() + 2).sum()
}

/// Whether a label is within its limit.
pub(crate) fn check_label(label: &str) -> Result<(), TagError> {
    if label.len() > LABEL_BYTES_MAX { Err(TagError::LabelTooLong { bytes: label.len() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_over_the_budget_is_refused_and_changes_nothing() {
        let mut tags = Tags::default();
        tags.set("role", "worker").unwrap();
        let before = tags.clone();
        let refused = tags.set("blob", &"x".repeat(TAGS_BYTES_MAX)).unwrap_err();
        assert!(refused.to_string().contains("`blob`"), "{refused}");
        assert!(refused.to_string().contains(&TAGS_BYTES_MAX.to_string()), "{refused}");
        assert_eq!(tags, before);
    }

    #[test]
    fn setting_the_same_value_is_no_change() {
        let mut tags = Tags::default();
        assert_eq!(tags.set("zone", "a"), Ok(true));
        assert_eq!(tags.set("zone", "a"), Ok(false));
        assert_eq!(tags.version, 1);
    }
}
