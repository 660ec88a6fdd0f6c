//! What goes with a call beside its arguments: a tenant, a token, whatever layers between caller and handler need.

use std::{collections::BTreeMap, fmt};

/// Named texts that travel with a call and reach its handler by [`Context::metadata`](crate::Context::metadata).
///
/// Names are written in lower case (`a`–`z`, digits, `-`, `_` and `.`), values are any text without control characters.
/// Metadata is for what every method shares; what one method needs is an argument.
///
/// ```
/// # use rpcnet::{CallOptions, Metadata};
/// let metadata = Metadata::new().with("tenant", "acme")?;
/// assert_eq!(metadata.get("tenant"), Some("acme"));
/// let options = CallOptions::new().metadata(metadata);
/// # Ok::<(), rpcnet::InvalidMetadata>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    pairs: BTreeMap<Box<str>, Box<str>>,
    /// How long it is on the wire.
    bytes: usize,
}

/// A name or a value that metadata cannot have.
///
/// ```
/// use rpcnet::Metadata;
///
/// let refused = Metadata::new().insert("Two Words", "…").unwrap_err();
/// assert!(refused.to_string().starts_with("`Two Words` is not a name of metadata"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// The name is not one.
    #[error(
        "`{}` is not a name of metadata: 1 to {NAME_MAX} of a–z, 0–9, `-`, `_` and `.`",
        name.escape_debug()
    )]
    Name {
        /// What was given, cut to what is readable.
        name: String,
    },
    /// The value has a control character, such as a line break.
    #[error("the value of the metadata `{name}` has the control character {character:?} at byte {at}")]
    Value {
        /// Whose value.
        name: String,
        /// Where in the value.
        at: usize,
        /// What is there.
        character: char,
    },
    /// All of it together is too long.
    #[error(
        "metadata of {bytes} bytes: at most {} travel with a call (`Metadata::BYTES_MAX`)",
        Metadata::BYTES_MAX
    )]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// There are as many pairs as may be.
    #[error(
        "more than {} pairs of metadata: no more travel with a call (`Metadata::PAIRS_MAX`)",
        Metadata::PAIRS_MAX
    )]
    TooMany,
}

/// The longest name: a word, not a text.
const NAME_MAX: usize = 64;

impl Metadata {
    /// The most that may go with one call, names and values with 4 bytes for each pair, in bytes: what gRPC and HTTP servers
    /// commonly accept. Every call of a chain pays for it.
    pub const BYTES_MAX: usize = 8 << 10;

    /// The most pairs that may go with one call: what HTTP servers commonly accept. Each is memory of its own for whoever
    /// receives it, and a thousand short ones would take longer to read than the call takes otherwise.
    pub const PAIRS_MAX: usize = 100;

    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// This and one more; replaces the value of a name that is there.
    ///
    /// # Errors
    ///
    /// When the name or the value cannot be sent, or it would be longer than [`BYTES_MAX`](Self::BYTES_MAX) in all, or more than
    /// [`PAIRS_MAX`](Self::PAIRS_MAX) pairs.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, InvalidMetadata> {
        self.insert(name, value)?;
        Ok(self)
    }

    /// Adds a pair; replaces the value of a name that is there.
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with). Nothing has changed then.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), InvalidMetadata> {
        check_name(name)?;
        check_value(name, value)?;
        let replaced = self.get(name).map(|old| pair_len(name, old));
        if replaced.is_none() && self.pairs.len() >= Self::PAIRS_MAX {
            return Err(InvalidMetadata::TooMany);
        }
        let bytes = self.bytes - replaced.unwrap_or(0) + pair_len(name, value);
        if bytes > Self::BYTES_MAX {
            return Err(InvalidMetadata::TooLong { bytes });
        }
        self.bytes = bytes;
        self.pairs.insert(name.into(), value.into());
        Ok(())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(|value| &**value)
    }

    /// All pairs, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How long it is on the wire.
    pub(crate) fn encoded_len(&self) -> usize {
        self.bytes
    }
}

fn pair_len(name: &str, value: &str) -> usize {
    4 + name.len() + value.len()
}

fn check_name(name: &str) -> Result<(), InvalidMetadata> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(allowed) {
        let name = name.chars().take(NAME_MAX).collect();
        return Err(InvalidMetadata::Name { name });
    }
    Ok(())
}

fn check_value(name: &str, value: &str) -> Result<(), InvalidMetadata> {
    match value.char_indices().find(|(_, character)| character.is_control()) {
        None => Ok(()),
        Some((at, character)) => Err(InvalidMetadata::Value { name: name.to_owned(), at, character }),
    }
}

impl fmt::Display for Metadata {
    /// The names alone: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(|(name, _)| name).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_replaces_the_one_of_its_name() {
        let metadata = Metadata::new().with("tenant", "a").unwrap().with("tenant", "b").unwrap();
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("tenant", "b")]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_and_changes_nothing() {
        let mut metadata = Metadata::new();
        for name in ["", "Tenant", "a b", "ä", &"x".repeat(65)] {
            assert!(matches!(metadata.insert(name, ""), Err(InvalidMetadata::Name { .. })), "{name}");
        }
        let line_break = InvalidMetadata::Value { name: "a".into(), at: 1, character: '\n' };
        assert_eq!(metadata.insert("a", "x\ny"), Err(line_break));
        assert!(metadata.is_empty());
    }

    #[test]
    fn it_is_as_long_as_a_call_may_carry_and_no_longer() {
        let mut metadata = Metadata::new();
        metadata.insert("a", &"x".repeat(Metadata::BYTES_MAX - 5)).expect("just fits");
        assert_eq!(
            metadata.insert("b", ""),
            Err(InvalidMetadata::TooLong { bytes: Metadata::BYTES_MAX + 5 })
        );
        metadata.insert("a", "").expect("replaced, it needs less");
        metadata.insert("b", "").expect("now there is room");
    }

    #[test]
    fn it_has_as_many_pairs_as_a_call_may_carry_and_no_more() {
        let mut metadata = Metadata::new();
        (0..Metadata::PAIRS_MAX).for_each(|n| metadata.insert(&n.to_string(), "").expect("just fits"));
        assert_eq!(metadata.insert("more", ""), Err(InvalidMetadata::TooMany));
        metadata.insert("7", "another").expect("replaced, it is no pair more");
    }
}
