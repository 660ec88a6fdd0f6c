//! Which workers a client wants: `role=worker,zone in (eu-1, eu-2),!draining`, parsed once, matched against tags.

mod parse;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

/// A condition on a worker's tags.
///
/// Requirements joined by commas, all of which must hold. White space between the parts does not count.
///
/// | written | holds for a worker |
/// |---|---|
/// | `role=worker` | whose tag `role` has the value `worker` |
/// | `role in (web, api)` | whose tag `role` has one of the values |
/// | `zone!=eu-1` | whose tag `zone` has another value, or that has no such tag |
/// | `gpu` | that has a tag `gpu`, whatever its value |
/// | `!gpu` | that has no tag `gpu` |
///
/// Names and values consist of any characters but white space and `, = ! ( )`. The operators and what they mean for an
/// absent tag are those of Kubernetes' label selectors
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>); an empty selector, which selects
/// everything there, is an error here: it is more often a forgotten setting than a wish.
///
/// Cheap to clone. Matching costs one look-up a requirement.
///
/// ```
/// # use rpcnet_cluster::Selector;
/// let selector: Selector = "role=worker, zone in (eu-1, eu-2)".parse()?;
/// assert_eq!(selector.as_str(), "role=worker, zone in (eu-1, eu-2)");
///
/// let error = "role=worker,,gpu".parse::<Selector>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "selector `role=worker,,gpu`: expected the name of a tag, or `!` and one, at character 13, found `,`"
/// );
/// # Ok::<(), rpcnet_cluster::SelectorError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Selector {
    text: Arc<str>,
    requirements: Arc<[Requirement]>,
}

impl Selector {
    /// The longest selector, in bytes: far beyond what a person writes, and it bounds the work of every match.
    pub const LENGTH_MAX: usize = 1024;

    /// Whether a worker with these tags is meant.
    pub fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(tags))
    }

    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text.len() > Self::LENGTH_MAX {
            return Err(SelectorError::TooLong { length: text.len() });
        }
        let requirements = parse::requirements(text)?;
        Ok(Self { text: text.into(), requirements: requirements.into() })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({:?})", self.text)
    }
}

/// One condition on one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Has { tag: String },
    Lacks { tag: String },
    Is { tag: String, value: String },
    IsNot { tag: String, value: String },
    In { tag: String, values: Vec<String> },
}

impl Requirement {
    fn holds(&self, tags: &BTreeMap<String, String>) -> bool {
        match self {
            Requirement::Has { tag } => tags.contains_key(tag),
            Requirement::Lacks { tag } => !tags.contains_key(tag),
            Requirement::Is { tag, value } => tags.get(tag) == Some(value),
            Requirement::IsNot { tag, value } => tags.get(tag) != Some(value),
            Requirement::In { tag, values } => tags.get(tag).is_some_and(|value| values.contains(value)),
        }
    }
}

/// Why a text is no selector. The text is at fault; nothing was selected.
///
/// ```
/// use rpcnet_cluster::{Selector, SelectorError};
///
/// let Err(SelectorError::Syntax { position, expected, .. }) = "role=".parse::<Selector>() else { panic!() };
/// println!("expected {expected} at character {position}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// The text breaks the grammar.
    #[error("selector `{selector}`: expected {expected} at character {position}, found {}", Found(*found))]
    Syntax {
        /// The text.
        selector: String,
        /// Where it goes wrong: the number of the character, counted from 1.
        position: usize,
        /// What could have stood there.
        expected: &'static str,
        /// What stands there; `None` at the end of the text.
        found: Option<char>,
    },
    /// The text is longer than [`Selector::LENGTH_MAX`].
    #[error("a selector of {length} bytes: at most {} are accepted", Selector::LENGTH_MAX)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// What stands where something else was expected.
struct Found(Option<char>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(character) => write!(f, "`{character}`"),
            None => f.write_str("the end"),
        }
    }
}
