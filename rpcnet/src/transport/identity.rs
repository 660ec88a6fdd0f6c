//! Who a peer proved to be, and patterns of whom one lets in.

use std::{fmt, str::FromStr, sync::Arc};

/// Who the other end of a connection proved to be: the URI of its certificate, such as `spiffe://prod/billing`, or else the
/// first DNS name in it.
///
/// Made by a transport that checks certificates ([`Tls`](super::tls::Tls)), and read by
/// [`Context::identity`](crate::Context::identity). Cheap to clone.
///
/// Source: the SPIFFE X.509-SVID standard, which has one URI in a certificate name whom it is for,
/// <https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(Arc<str>);

impl Identity {
    /// Somebody of this name. Only for who has proof of it: a transport, or a layer that checked a token.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom one lets in: an identity as it is, or many at once.
///
/// | pattern | matches |
/// |---|---|
/// | `spiffe://prod/billing` | this identity |
/// | `spiffe://prod/*` | every identity below it |
/// | `*.internal` | every DNS name below it |
/// | `*` | everybody who has an identity |
///
/// ```
/// use rpcnet::transport::{Identity, IdentityPattern};
///
/// let pattern: IdentityPattern = "spiffe://prod/ops/*".parse()?;
/// assert!(pattern.matches(&Identity::new("spiffe://prod/ops/ann")));
/// assert!(!pattern.matches(&Identity::new("spiffe://prod/opsx")));
/// assert!("spiffe://*/ops".parse::<IdentityPattern>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPattern(Shape);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Anybody,
    Exactly(String),
    /// Ends with a slash.
    Below(String),
    /// Begins with a dot.
    Within(String),
}

/// A pattern that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{pattern}` is no pattern of identities: a `*` stands at the end after a `/`, at the beginning before a `.`, or alone"
)]
pub struct InvalidIdentityPattern {
    pattern: String,
}

impl IdentityPattern {
    /// Whether an identity is one of those meant.
    pub fn matches(&self, identity: &Identity) -> bool {
        let name = identity.as_str();
        match &self.0 {
            Shape::Anybody => true,
            Shape::Exactly(exactly) => name == exactly,
            Shape::Below(prefix) => name.len() > prefix.len() && name.starts_with(prefix.as_str()),
            // A URI is never within a domain: its path may end with anything.
            Shape::Within(suffix) => {
                name.len() > suffix.len() && name.ends_with(suffix.as_str()) && !name.contains('/')
            }
        }
    }
}

impl FromStr for IdentityPattern {
    type Err = InvalidIdentityPattern;

    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let shape = if pattern == "*" {
            Shape::Anybody
        } else if let Some(prefix) = pattern.strip_suffix('*').filter(|prefix| prefix.ends_with('/')) {
            Shape::Below(prefix.to_owned())
        } else if let Some(suffix) = pattern.strip_prefix('*').filter(|suffix| suffix.starts_with('.')) {
            Shape::Within(suffix.to_ascii_lowercase())
        } else {
            Shape::Exactly(pattern.to_owned())
        };
        let rest = match &shape {
            Shape::Anybody => "anybody",
            Shape::Exactly(rest) | Shape::Below(rest) | Shape::Within(rest) => rest,
        };
        if rest.is_empty() || rest.contains('*') || rest.ends_with("://") {
            return Err(InvalidIdentityPattern { pattern: pattern.to_owned() });
        }
        Ok(Self(shape))
    }
}

impl fmt::Display for IdentityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Anybody => f.write_str("*"),
            Shape::Exactly(exactly) => f.write_str(exactly),
            Shape::Below(prefix) => write!(f, "{prefix}*"),
            Shape::Within(suffix) => write!(f, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        let pattern: IdentityPattern = pattern.parse().expect("a pattern");
        assert_eq!(pattern.to_string().parse(), Ok(pattern.clone()), "it reads as what it was read from");
        pattern.matches(&Identity::new(name))
    }

    #[test]
    fn a_pattern_lets_in_whom_it_names_and_nobody_beside() {
        assert!(matches("spiffe://prod/a", "spiffe://prod/a"));
        assert!(!matches("spiffe://prod/a", "spiffe://prod/a/b"));
        assert!(!matches("spiffe://prod/a", "spiffe://prod/A"));
        assert!(matches("spiffe://prod/*", "spiffe://prod/a/b"));
        assert!(!matches("spiffe://prod/*", "spiffe://prod/"));
        assert!(!matches("spiffe://prod/*", "spiffe://production/a"));
        assert!(matches("*.internal", "db.eu.internal"));
        assert!(!matches("*.internal", ".internal"));
        assert!(!matches("*.internal", "db.internal.evil"));
        assert!(!matches("*.internal", "spiffe://evil/x.internal"));
        assert!(matches("*", "whoever"));
    }

    #[test]
    fn a_pattern_that_would_let_in_more_than_it_seems_is_refused() {
        for pattern in ["", "spiffe://*", "spiffe://prod/a*", "*internal", "a*b", "spiffe://*/a", "*.*", "**"]
        {
            let error = pattern.parse::<IdentityPattern>().expect_err(pattern).to_string();
            assert!(error.starts_with(&format!("`{pattern}` is no pattern")), "{error}");
        }
    }
}
