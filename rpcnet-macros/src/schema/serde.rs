//! What `#[serde(…)]` says about how values are encoded. Whether it is right is for serde's own derive to say.

use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token, Type, parse::Parser, punctuated::Punctuated};

use super::text::Text;
use crate::{attr, diagnostics::Errors, names};

/// What has no say in how a value is encoded: which code serde generates, and what a decoder takes besides.
const BESIDES: [&str; 6] = ["alias", "borrow", "bound", "crate", "deny_unknown_fields", "expecting"];

/// The arguments of all `#[serde(…)]` of a type, a variant or a field.
pub(super) struct Serde {
    words: Vec<Meta>,
}

impl Serde {
    pub(super) fn of(attrs: &[Attribute]) -> Self {
        let lists = attrs.iter().filter(|attr| attr.path().is_ident("serde")).filter_map(|attr| {
            let Meta::List(list) = &attr.meta else { return None };
            Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()).ok()
        });
        let relevant = |word: &Meta| !BESIDES.iter().any(|besides| word.path().is_ident(besides));
        Self { words: lists.flatten().filter(relevant).collect() }
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// All of it as one attribute, sorted: in which order serde is told things does not matter.
    pub(super) fn text(&self) -> String {
        let mut words: Vec<_> =
            self.words.iter().map(|word| names::type_text(word.to_token_stream())).collect();
        words.sort();
        format!("#[serde({})]", words.join(", "))
    }

    /// Writes the attribute in front of a variant or a field, if there is one.
    pub(super) fn write_before(&self, text: &mut Text) {
        if !self.is_empty() {
            text.push(&self.text());
            text.push(" ");
        }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|meta| meta.path().is_ident(word))
    }

    /// Whether neither end sees it.
    pub(super) fn is_skipped(&self) -> bool {
        self.has("skip") || self.has("skip_serializing") && self.has("skip_deserializing")
    }

    /// Whether a function of the user's encodes or decodes it.
    pub(super) fn is_custom(&self) -> bool {
        ["with", "serialize_with", "deserialize_with"].iter().any(|word| self.has(word))
    }

    /// The types that are encoded or decoded in place of this one. Usually it is one for both.
    pub(super) fn proxies(&self, errors: &mut Errors) -> Vec<Type> {
        let is_proxy =
            |meta: &&Meta| ["into", "from", "try_from"].iter().any(|word| meta.path().is_ident(word));
        let mut names: Vec<_> = self.words.iter().filter(is_proxy).filter_map(string).collect();
        names.sort_by_key(|name| name.value());
        names.dedup_by_key(|name| name.value());
        let parsed = names.into_iter().map(|name| name.parse().map_err(|_| name));
        let kept = parsed.filter_map(|proxy| {
            proxy.map_err(|name| errors.at(name, "this is the spelling of no type")).ok()
        });
        kept.collect()
    }
}

/// The `"…"` of `word = "…"`.
fn string(meta: &Meta) -> Option<&LitStr> {
    match attr::value(meta) {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text),
        _ => None,
    }
}
