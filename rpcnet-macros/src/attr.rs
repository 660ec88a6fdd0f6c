//! The attributes: `#[rpc_trait(…)]` on the trait, `#[rpc(…)]` on its methods.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, parse::Parser, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{
    diagnostics::{Errors, did_you_mean},
    names,
};

/// What `#[rpc_trait(…)]` says of the whole service.
#[derive(Default)]
pub(crate) struct TraitOptions {
    /// The service's name on the wire, if it is not the trait's.
    pub(crate) name: Option<LitStr>,
    /// Where the runtime is, if it is not `::rpcnet`.
    pub(crate) krate: Option<Path>,
}

/// What `#[rpc(…)]` says of one method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    /// The word `read`, where it was written.
    pub(crate) read: Option<Path>,
    /// The word `idempotent`, where it was written.
    pub(crate) idempotent: Option<Path>,
    /// The word `keyed`, where it was written.
    pub(crate) keyed: Option<Path>,
    /// The word `blocking`, where it was written.
    pub(crate) blocking: Option<Path>,
    /// The word `no_cancel`, where it was written.
    pub(crate) no_cancel: Option<Path>,
    /// The word `hedge`, where it was written.
    pub(crate) hedge: Option<Path>,
    /// The value of `on_unknown`, if it is `"rerun"`, where it was written.
    pub(crate) on_unknown: Option<LitStr>,
    /// How long a call may take whose caller does not say.
    pub(crate) timeout: Option<Duration>,
    /// The method's name on the wire, if it is not the method's.
    pub(crate) rename: Option<LitStr>,
    /// Names it has had on the wire.
    pub(crate) aliases: Vec<LitStr>,
}

const ON_A_TRAIT: Accepted = Accepted {
    attribute: "`#[rpc_trait(…)]`",
    words: &["name", "crate"],
    list: "`name = \"…\"`, `crate = path`",
};
const ON_A_METHOD: Accepted = Accepted {
    attribute: "`#[rpc(…)]`",
    words: &[
        "read",
        "idempotent",
        "keyed",
        "on_unknown",
        "timeout",
        "rename",
        "alias",
        "blocking",
        "no_cancel",
        "hedge",
    ],
    list: "`read`, `idempotent`, `keyed`, `on_unknown = \"rerun\"`, `timeout = \"2s\"`, `rename = \"…\"`, \
           `alias = \"…\"`, `blocking`, `no_cancel`, `hedge`",
};

impl TraitOptions {
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for meta in ON_A_TRAIT.parse(arguments, errors) {
            match ON_A_TRAIT.word(&meta) {
                Some("name") => set(&mut options.name, wire_name(&meta, errors), &meta, errors),
                Some("crate") => set(&mut options.krate, path_value(&meta, errors), &meta, errors),
                _ => ON_A_TRAIT.refuse(&meta, errors),
            }
        }
        options
    }
}

impl MethodOptions {
    /// Takes the `#[rpc(…)]` attributes out of a method's.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attr in attrs.extract_if(.., |attr| attr.path().is_ident("rpc")) {
            match attr.meta {
                Meta::List(list) if !list.tokens.is_empty() => options.add(list.tokens, errors),
                other => errors.at(other, format_args!("`#[rpc]` says nothing: write `#[rpc(idempotent)]`")),
            }
        }
        options
    }

    fn add(&mut self, tokens: TokenStream, errors: &mut Errors) {
        for meta in ON_A_METHOD.parse(tokens, errors) {
            match ON_A_METHOD.word(&meta) {
                Some("read") => set(&mut self.read, flag(&meta, errors), &meta, errors),
                Some("idempotent") => set(&mut self.idempotent, flag(&meta, errors), &meta, errors),
                Some("keyed") => set(&mut self.keyed, flag(&meta, errors), &meta, errors),
                Some("on_unknown") => set(&mut self.on_unknown, rerun(&meta, errors), &meta, errors),
                Some("blocking") => set(&mut self.blocking, flag(&meta, errors), &meta, errors),
                Some("no_cancel") => set(&mut self.no_cancel, flag(&meta, errors), &meta, errors),
                Some("hedge") => set(&mut self.hedge, flag(&meta, errors), &meta, errors),
                Some("timeout") => set(&mut self.timeout, duration(&meta, errors), &meta, errors),
                Some("alias") => self.aliases.extend(wire_name(&meta, errors)),
                Some("rename") => set(&mut self.rename, wire_name(&meta, errors), &meta, errors),
                _ => ON_A_METHOD.refuse(&meta, errors),
            }
        }
    }
}

/// Refuses an `#[rpc]` where there is no method for it, and takes it away.
pub(crate) fn refuse_rpc_on_the_trait(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("rpc")) {
        errors.at(attr.path(), "`#[rpc(…)]` belongs on a method; of the trait, `#[rpc_trait(…)]` speaks");
    }
}

/// Refuses `#[cfg_attr(…, rpc(…))]`, which this macro cannot evaluate, and takes it away.
pub(crate) fn refuse_conditional_rpc(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    let conditional = |attr: &mut Attribute| attr.path().is_ident("cfg_attr") && applies(attr, "rpc");
    for attr in attrs.extract_if(.., conditional) {
        let message =
            "`#[rpc(…)]` cannot be conditional: declare the method twice, each under its own `#[cfg(…)]`";
        errors.at(attr.path(), message);
    }
}

/// Whether a `#[cfg_attr(condition, word…)]` applies this word.
pub(crate) fn applies(attr: &Attribute, word: &str) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    metas.is_ok_and(|metas| metas.iter().skip(1).any(|meta| meta.path().is_ident(word)))
}

/// The words that one of the two attributes knows.
pub(crate) struct Accepted {
    pub(crate) attribute: &'static str,
    pub(crate) words: &'static [&'static str],
    pub(crate) list: &'static str,
}

impl Accepted {
    pub(crate) fn parse(&self, tokens: TokenStream, errors: &mut Errors) -> Punctuated<Meta, Token![,]> {
        Punctuated::parse_terminated.parse2(tokens).unwrap_or_else(|error: syn::Error| {
            errors.at_span(error.span(), format_args!("{} accepts {}", self.attribute, self.list));
            Punctuated::new()
        })
    }

    /// The word an argument begins with, if it is an accepted one.
    pub(crate) fn word(&self, meta: &Meta) -> Option<&'static str> {
        self.words.iter().copied().find(|word| meta.path().is_ident(word))
    }

    pub(crate) fn refuse(&self, meta: &Meta, errors: &mut Errors) {
        let word = names::type_text(meta.path().to_token_stream());
        let guess = did_you_mean(&word, self.words);
        let (attribute, list) = (self.attribute, self.list);
        errors.at(meta.path(), format_args!("unknown argument `{word}`{guess}: {attribute} accepts {list}"));
    }
}

/// Keeps the first of an argument and refuses the second.
pub(crate) fn set<T>(slot: &mut Option<T>, value: Option<T>, meta: &Meta, errors: &mut Errors) {
    if slot.is_some() {
        let word = names::type_text(meta.path().to_token_stream());
        errors.at(meta.path(), format_args!("`{word}` is given twice: remove one"));
    } else {
        *slot = value;
    }
}

/// An argument that is only a word.
pub(crate) fn flag(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    if let Meta::Path(path) = meta {
        return Some(path.clone());
    }
    let word = names::type_text(meta.path().to_token_stream());
    errors.at(meta, format_args!("`{word}` takes no value: write only the word"));
    // It is clear what was meant, and saying it again for the method's other mistakes helps nobody.
    Some(meta.path().clone())
}

/// The `"…"` of `word = "…"`, fit to be part of a method's path.
fn wire_name(meta: &Meta, errors: &mut Errors) -> Option<LitStr> {
    let word = names::type_text(meta.path().to_token_stream());
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) = value(meta) else {
        errors.at(meta, format_args!("`{word}` takes a string: write `{word} = \"…\"`"));
        return None;
    };
    let text = name.value();
    if text.is_empty() {
        errors.at(name, "a name on the wire cannot be empty");
    } else if text.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
        errors.at(
            name,
            "a name on the wire has neither `/` nor white space: `Service/method` must be readable",
        );
    }
    Some(name.clone())
}

/// The value of `on_unknown = "rerun"`.
fn rerun(meta: &Meta, errors: &mut Errors) -> Option<LitStr> {
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = value(meta) else {
        errors.at(meta, "`on_unknown` takes a string: write `on_unknown = \"rerun\"`");
        return None;
    };
    if text.value() != "rerun" {
        errors.at(
            text,
            "there is one thing to do but report it: write `on_unknown = \"rerun\"`, or remove this",
        );
        return None;
    }
    Some(text.clone())
}

/// The duration of `timeout = "2s"`.
fn duration(meta: &Meta, errors: &mut Errors) -> Option<Duration> {
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = value(meta) else {
        errors.at(meta, "`timeout` takes a number and a unit: write `timeout = \"2s\"`");
        return None;
    };
    match parse_duration(&text.value()) {
        Some(Duration::ZERO) => {
            errors.at(text, "no call ends within no time: write how long one may take, or remove this");
            None
        }
        Some(duration) => Some(duration),
        None => {
            let text_value = text.value();
            errors.at(
                text,
                format_args!(
                    "`{text_value}` is no duration: write a whole number and one of `us`, `ms`, `s`, `m`, `h`, such \
                     as `250ms`"
                ),
            );
            None
        }
    }
}

/// A whole number and a unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let micros: u64 = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(micros).map(Duration::from_micros)
}

/// The `path` of `word = path`.
pub(crate) fn path_value(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    match value(meta) {
        Some(Expr::Path(path)) if path.qself.is_none() => Some(path.path.clone()),
        _ => {
            errors.at_span(meta.span(), "`crate` takes a path: write `crate = path::to::rpcnet`");
            None
        }
    }
}

/// What stands after the `=`.
pub(crate) fn value(meta: &Meta) -> Option<&Expr> {
    let Meta::NameValue(pair) = meta else { return None };
    let mut value = &pair.value;
    // A `$path` of a user's `macro_rules!` arrives in invisible parentheses.
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("90m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("7us"), Some(Duration::from_micros(7)));
        for wrong in
            ["", "2", "s", "2 s", "1.5s", "-1s", "2sec", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
